/// What became of the rows of a file.
struct UserImportResult: Sendable {
    /// A row that was skipped.
    struct Fault: Equatable, Sendable {
        let line: Int
        let reason: String
    }

    /// A list that remembers its first elements and counts the others, so that a bad file of any size fits in memory.
    struct Sample<Element: Sendable>: Sendable {
        static var limit: Int { 10 }

        private(set) var first: [Element] = []
        private(set) var count = 0

        mutating func append(_ element: Element) {
            count += 1
            if first.count < Self.limit { first.append(element) }
        }
    }

    /// How many rows were read, without the first.
    var rows = 0
    /// How many users were signed up.
    var created = 0
    /// The lines whose address has an account.
    var taken = Sample<Int>()
    /// The rows that could not be used.
    var faults = Sample<Fault>()
    /// How much of the file has been read, from 0 to 1.
    var fractionRead = 0.0
}
