#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A value that a list is sorted by, and that a ``PageCursor`` carries.
///
/// Conform identifiers and enumerations of a domain by way of one of the types that conform already.
public protocol PageKey: Sendable {
    /// The value as a cursor carries it.
    var pageKeyValue: PageKeyValue { get }

    /// The value that a cursor carries, or nil when it is of another type.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    init?(pageKeyValue: PageKeyValue)
}

/// A value as a ``PageCursor`` carries it.
///
/// Its descriptions name the type and not the value, which may be somebody's address.
@nonexhaustive
public enum PageKeyValue: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// No value.
    case null
    /// A truth value.
    case bool(Bool)
    /// A whole number.
    case integer(Int64)
    /// A binary floating-point number.
    case double(Double)
    /// A text.
    case text(String)
    /// A UUID.
    case uuid(UUID)
    /// A point in time, exact to the bit.
    case instant(Date)

    /// The type's name.
    public var description: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .integer: "integer"
        case .double: "double"
        case .text: "text"
        case .uuid: "uuid"
        case .instant: "instant"
        }
    }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}

extension Bool: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { .bool(self) }

    /// The truth value that a cursor carries.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard case .bool(let value) = pageKeyValue else { return nil }
        self = value
    }
}

extension Int: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { .integer(Int64(self)) }

    /// The number that a cursor carries.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard case .integer(let value) = pageKeyValue else { return nil }
        self.init(exactly: value)
    }
}

extension Int16: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { .integer(Int64(self)) }

    /// The number that a cursor carries, unless it is out of range.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard case .integer(let value) = pageKeyValue else { return nil }
        self.init(exactly: value)
    }
}

extension Int32: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { .integer(Int64(self)) }

    /// The number that a cursor carries, unless it is out of range.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard case .integer(let value) = pageKeyValue else { return nil }
        self.init(exactly: value)
    }
}

extension Int64: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { .integer(self) }

    /// The number that a cursor carries.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard case .integer(let value) = pageKeyValue else { return nil }
        self = value
    }
}

extension Double: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { .double(self) }

    /// The number that a cursor carries.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard case .double(let value) = pageKeyValue else { return nil }
        self = value
    }
}

extension String: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { .text(self) }

    /// The text that a cursor carries.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard case .text(let value) = pageKeyValue else { return nil }
        self = value
    }
}

extension UUID: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { .uuid(self) }

    /// The UUID that a cursor carries.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard case .uuid(let value) = pageKeyValue else { return nil }
        self = value
    }
}

extension Date: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { .instant(self) }

    /// The point in time that a cursor carries.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard case .instant(let value) = pageKeyValue else { return nil }
        self = value
    }
}

extension Optional: PageKey where Wrapped: PageKey {
    /// The value as a cursor carries it.
    public var pageKeyValue: PageKeyValue { self?.pageKeyValue ?? .null }

    /// The value that a cursor carries, or none.
    ///
    /// - Parameter pageKeyValue: What the cursor carries.
    public init?(pageKeyValue: PageKeyValue) {
        guard pageKeyValue != .null else {
            self = .none
            return
        }
        guard let value = Wrapped(pageKeyValue: pageKeyValue) else { return nil }
        self = value
    }
}
