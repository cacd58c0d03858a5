import Persistence
import PersistenceCore

/// Fails unless a condition holds.
func expect(
    _ condition: Bool, _ sentence: String, fileID: String = #fileID, line: Int = #line
) throws(ConformanceFailure) {
    guard condition else { throw ConformanceFailure("expected that \(sentence)", fileID: fileID, line: line) }
}

/// Fails unless two values are equal.
func expectEqual<T: Equatable>(
    _ actual: T, _ expected: T, _ subject: String, fileID: String = #fileID, line: Int = #line
) throws(ConformanceFailure) {
    guard actual == expected else {
        throw ConformanceFailure("\(subject) is \(actual), expected \(expected)", fileID: fileID, line: line)
    }
}

/// Fails when there is no value.
func unwrap<T>(
    _ value: T?, _ subject: String, fileID: String = #fileID, line: Int = #line
) throws(ConformanceFailure) -> T {
    guard let value else { throw ConformanceFailure("\(subject) is nil", fileID: fileID, line: line) }
    return value
}

/// Fails unless an error was thrown, with this code and for this rule.
func expectError(
    _ error: (any Error)?, _ code: PersistenceError.Code, _ constraint: DomainConstraint? = nil, _ subject: String,
    fileID: String = #fileID, line: Int = #line
) throws(ConformanceFailure) {
    guard let error else {
        throw ConformanceFailure("\(subject) succeeded, expected \(code)", fileID: fileID, line: line)
    }
    guard let error = error as? PersistenceError, error.code == code else {
        throw ConformanceFailure("\(subject) threw \(error), expected \(code)", fileID: fileID, line: line)
    }
    guard constraint == nil || error.domainConstraint == constraint else {
        throw ConformanceFailure(
            "\(subject) was refused by \(error.constraint ?? "no constraint"), expected \(constraint?.name ?? "")",
            fileID: fileID, line: line)
    }
}
