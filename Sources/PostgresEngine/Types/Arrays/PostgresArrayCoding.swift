public import PersistenceCore

/// The representations of arrays (`array_send`, `array_recv` and `array_in` in PostgreSQL's sources).
@usableFromInline
enum PostgresArrayCoding {
    /// The most dimensions that an array has (`MAXDIM`).
    @usableFromInline static var maximumDimensions: Int { 6 }

    @usableFromInline
    static func canDecode<T: PostgresElement>(arrayOf element: T.Type, _ type: PostgresType) -> Bool {
        if let found = type.elementType { return T.canDecode(found) }
        // The identifiers of an unknown array and of its elements are both beyond the built-in ones; the array's header has
        // the latter, which is checked there.
        return type.isUserDefined && T.canDecode(type)
    }

    // MARK: Binary

    /// Writes the dimensions' part of the header; the number of elements must be that of the dimensions.
    @usableFromInline
    static func encodeHeader(
        element: PostgresType, dimensions: [PostgresArrayDimension], into writer: inout PostgresWriter
    ) {
        writer.write(Int32(truncatingIfNeeded: dimensions.count))
        writer.write(Int32(0))
        writer.write(element.oid)
        for dimension in dimensions {
            writer.write(dimension.count)
            writer.write(dimension.lowerBound)
        }
    }

    @inlinable
    static func encode<T: PostgresElement, E>(
        _ elements: [E],
        dimensions: [PostgresArrayDimension]? = nil,
        into writer: inout PostgresWriter,
        _ scalar: (E) -> T?
    ) throws(PersistenceError) {
        let start = writer.count
        if let dimensions {
            encodeHeader(element: T.postgresBinaryType, dimensions: dimensions, into: &writer)
        } else {
            // The common case needs no list of dimensions.
            writer.write(Int32(elements.isEmpty ? 0 : 1))
            writer.write(Int32(0))
            writer.write(T.postgresBinaryType.oid)
            if !elements.isEmpty {
                guard let count = Int32(exactly: elements.count) else { throw tooManyElements() }
                writer.write(count)
                writer.write(Int32(1))
            }
        }
        for element in elements {
            let value = scalar(element)
            // The last byte of the flags: the array holds NULLs.
            if value == nil { writer.room[start + 7] = 1 }
            try writer.writeField(value)
        }
    }

    @usableFromInline
    static func tooManyElements() -> PersistenceError {
        PersistenceError(.tooLarge, "an array has more elements than PostgreSQL takes")
    }

    @inlinable
    static func decode<T: PostgresDecodable>(
        _ value: borrowing PostgresValue, as swiftType: [T].Type
    ) throws(PersistenceError) -> [T] where T: PostgresArrayElement {
        try value.read(as: swiftType) { reader throws(PersistenceError) in
            let header = try readHeader(&reader, of: T.self, maximumDimensions: 1)
            return try readElements(&reader, count: header.count, type: header.element)
        }
    }

    @usableFromInline
    struct Header {
        @usableFromInline let element: PostgresType
        @usableFromInline let count: Int
        @usableFromInline let dimensions: [PostgresArrayDimension]

        @usableFromInline
        init(element: PostgresType, count: Int, dimensions: [PostgresArrayDimension]) {
            self.element = element
            self.count = count
            self.dimensions = dimensions
        }
    }

    @inlinable
    static func readHeader<T: PostgresDecodable>(
        _ reader: inout PostgresReader, of element: T.Type, maximumDimensions: Int
    ) throws(PersistenceError) -> Header {
        let dimensionCount = try reader.read(Int32.self)
        let flags = try reader.read(Int32.self)
        let element = PostgresType(oid: try reader.read())
        guard (0...6).contains(dimensionCount) else { throw reader.malformed("the number of dimensions is impossible") }
        guard flags == 0 || flags == 1 else { throw reader.malformed("the flags are unknown") }
        guard T.canDecode(element) else { throw reader.mismatch(T.self, element) }
        guard dimensionCount <= maximumDimensions else {
            throw PersistenceError(
                .decoding, "the array has \(dimensionCount) dimensions; read it as PostgresArray<\(T.self)>")
        }
        var dimensions: [PostgresArrayDimension] = []
        var count = dimensionCount == 0 ? 0 : 1
        for _ in 0..<dimensionCount {
            let size = try reader.read(Int32.self)
            let lowerBound = try reader.read(Int32.self)
            guard size >= 0, !lowerBound.addingReportingOverflow(size).overflow else {
                throw reader.malformed("a dimension is impossible")
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(size))
            guard !overflow else { throw reader.malformed("a dimension is impossible") }
            count = product
            if maximumDimensions > 1 {
                dimensions.append(PostgresArrayDimension(count: size, lowerBound: lowerBound))
            }
        }
        // Every element takes four bytes at least, so a lying header cannot make us reserve more than was received.
        guard count <= reader.remaining / 4 else { throw reader.malformed("it ends too early") }
        return Header(element: element, count: count, dimensions: dimensions)
    }

    @inlinable
    static func readElements<T: PostgresDecodable>(
        _ reader: inout PostgresReader, count: Int, type: PostgresType
    ) throws(PersistenceError) -> [T] {
        var elements: [T] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            elements.append(try reader.readField(T.self, type: type))
        }
        return elements
    }

    // MARK: Literals

    @inlinable
    static func encodeLiteral<T: PostgresElement, E>(
        _ elements: [E], into writer: inout PostgresWriter, _ scalar: (E) -> T?
    ) throws(PersistenceError) {
        var scratch = PostgresWriter()
        try encodeLiteral(elements[...], into: &writer, scratch: &scratch, scalar)
    }

    @inlinable
    static func encodeLiteral<T: PostgresElement, E>(
        _ elements: ArraySlice<E>,
        into writer: inout PostgresWriter,
        scratch: inout PostgresWriter,
        _ scalar: (E) -> T?
    ) throws(PersistenceError) {
        writer.write(UInt8(ascii: "{"))
        var isFirst = true
        for element in elements {
            if !isFirst { writer.write(UInt8(ascii: ",")) }
            isFirst = false
            if let value = scalar(element) {
                try writer.writeQuoted(scratch: &scratch) { writer throws(PersistenceError) in
                    try value.encode(into: &writer)
                }
            } else {
                writer.write(bytes: "NULL".utf8)
            }
        }
        writer.write(UInt8(ascii: "}"))
    }
}
