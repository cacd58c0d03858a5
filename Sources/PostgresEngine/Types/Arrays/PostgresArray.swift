public import PersistenceCore

/// One dimension of an array.
public struct PostgresArrayDimension: Hashable, Sendable {
    /// How many elements the dimension has.
    public var count: Int32

    /// The subscript of the first element; 1 unless a literal or an assignment said otherwise.
    public var lowerBound: Int32

    /// Creates a dimension.
    ///
    /// - Parameters:
    ///   - count: How many elements the dimension has.
    ///   - lowerBound: The subscript of the first element.
    public init(count: Int32, lowerBound: Int32 = 1) {
        self.count = count
        self.lowerBound = lowerBound
    }
}

/// An array of up to six dimensions, with lower bounds, whose elements may be NULL.
///
/// For one dimension `[T]` and `[T?]` are simpler.
public struct PostgresArray<Element: PostgresElement> {
    /// The dimensions, the outermost first; an empty array has none.
    public let dimensions: [PostgresArrayDimension]

    /// The elements, the innermost dimension varying fastest; `nil` is NULL.
    public let elements: [Element?]

    /// Creates an array.
    ///
    /// - Parameters:
    ///   - elements: The elements, the innermost dimension varying fastest.
    ///   - dimensions: The dimensions, the outermost first.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when there are more than six dimensions, when a
    ///   dimension is not positive or overflows its subscripts, or when the number of elements is not the product.
    public init(elements: [Element?], dimensions: [PostgresArrayDimension]) throws(PersistenceError) {
        guard dimensions.count <= PostgresArrayCoding.maximumDimensions else {
            throw PersistenceError(.invalidArgument, "an array has at most six dimensions")
        }
        var count = dimensions.isEmpty ? 0 : 1
        for dimension in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(dimension.count))
            guard dimension.count > 0, !overflow,
                !dimension.lowerBound.addingReportingOverflow(dimension.count).overflow
            else { throw PersistenceError(.invalidArgument, "an array's dimension is out of range") }
            count = product
        }
        guard count == elements.count else {
            throw PersistenceError(.invalidArgument, "the dimensions ask for \(count) elements, not \(elements.count)")
        }
        self.elements = elements
        self.dimensions = dimensions
    }

    /// Creates an array of one dimension.
    ///
    /// - Parameter elements: The elements.
    public init(_ elements: [Element?]) {
        self.elements = elements
        self.dimensions = elements.isEmpty ? [] : [.init(count: Int32(truncatingIfNeeded: elements.count))]
    }

    /// Creates an array of two dimensions.
    ///
    /// - Parameter rows: The rows, all of the same length.
    /// - Throws: ``PersistenceError`` with the code `invalidArgument` when the rows differ in length.
    public init(rows: [[Element?]]) throws(PersistenceError) {
        let width = rows.first?.count ?? 0
        guard rows.allSatisfy({ $0.count == width }) else {
            throw PersistenceError(.invalidArgument, "the rows of an array differ in length")
        }
        guard width > 0 else {
            self.init([])
            return
        }
        try self.init(
            elements: rows.flatMap { $0 },
            dimensions: [
                .init(count: Int32(truncatingIfNeeded: rows.count)), .init(count: Int32(truncatingIfNeeded: width)),
            ])
    }

    /// The element at one subscript per dimension, as PostgreSQL counts them.
    ///
    /// - Parameter subscripts: One subscript per dimension.
    /// - Returns: The element; `nil` when it is NULL, and when the subscripts are outside of the array, as in SQL.
    public subscript(_ subscripts: Int...) -> Element? {
        guard subscripts.count == dimensions.count, !dimensions.isEmpty else { return nil }
        var index = 0
        for (position, dimension) in zip(subscripts, dimensions) {
            let (offset, overflow) = position.subtractingReportingOverflow(Int(dimension.lowerBound))
            guard !overflow, offset >= 0, offset < Int(dimension.count) else { return nil }
            index = index * Int(dimension.count) + offset
        }
        return elements[index]
    }
}

extension PostgresArray: Equatable where Element: Equatable {}
extension PostgresArray: Hashable where Element: Hashable {}
extension PostgresArray: Sendable where Element: Sendable {}

extension PostgresArray: PostgresEncodable {
    /// The type of the element's arrays.
    public static var postgresType: PostgresType { Element.postgresArrayType }

    /// The element's format.
    public static var postgresFormat: PostgresFormat { Element.postgresFormat }

    /// The type of the element's arrays inside a record.
    public static var postgresBinaryType: PostgresType { Element.postgresArrayBinaryType }

    /// Appends the elements with their dimensions.
    public func encode(into writer: inout PostgresWriter) throws(PersistenceError) {
        guard Self.postgresFormat == .text else { return try encodeBinary(into: &writer) }
        if dimensions.contains(where: { $0.lowerBound != 1 }) {
            for dimension in dimensions {
                let upperBound = dimension.lowerBound + (dimension.count - 1)
                writer.write(utf8: "[\(dimension.lowerBound):\(upperBound)]")
            }
            writer.write(utf8: "=")
        }
        var scratch = PostgresWriter()
        try encodeLiteral(dimension: 0, elements[...], into: &writer, scratch: &scratch)
    }

    /// Appends the elements with their dimensions in binary.
    public func encodeBinary(into writer: inout PostgresWriter) throws(PersistenceError) {
        try PostgresArrayCoding.encode(elements, dimensions: dimensions, into: &writer) { $0 }
    }

    private func encodeLiteral(
        dimension: Int, _ part: ArraySlice<Element?>, into writer: inout PostgresWriter, scratch: inout PostgresWriter
    ) throws(PersistenceError) {
        guard dimension < dimensions.count - 1 else {
            return try PostgresArrayCoding.encodeLiteral(part, into: &writer, scratch: &scratch) { $0 }
        }
        let count = Int(dimensions[dimension].count)
        let size = part.count / count
        writer.write(utf8: "{")
        for index in 0..<count {
            if index > 0 { writer.write(utf8: ",") }
            let start = part.startIndex + index * size
            try encodeLiteral(dimension: dimension + 1, part[start..<start + size], into: &writer, scratch: &scratch)
        }
        writer.write(utf8: "}")
    }
}

extension PostgresArray: PostgresDecodable {
    /// Arrays of what the element reads.
    public static func canDecode(_ type: PostgresType) -> Bool {
        PostgresArrayCoding.canDecode(arrayOf: Element.self, type)
    }

    /// Reads an array.
    public static func decode(_ value: borrowing PostgresValue) throws(PersistenceError) -> PostgresArray {
        try value.read(as: Self.self) { reader throws(PersistenceError) in
            let header = try PostgresArrayCoding.readHeader(
                &reader, of: Element.self, maximumDimensions: PostgresArrayCoding.maximumDimensions)
            let elements: [Element?] = try PostgresArrayCoding.readElements(
                &reader, count: header.count, type: header.element)
            return PostgresArray(decoded: elements, dimensions: header.count == 0 ? [] : header.dimensions)
        }
    }

    private init(decoded elements: [Element?], dimensions: [PostgresArrayDimension]) {
        self.elements = elements
        self.dimensions = dimensions
    }
}
