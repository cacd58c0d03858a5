/// Writes a value that is no document and no array, or encodes itself.
struct SingleValueEncoding: SingleValueEncodingContainer {
    let level: EncodingLevel

    var codingPath: [any CodingKey] { level.path }

    func encodeNil() throws { try level.writeSingle(.null) }

    func encode<Value: Encodable>(_ value: Value) throws { try level.encodeSingle(value) }

    func encode(_ value: Bool) throws { try level.writeSingle(.bool(value)) }

    func encode(_ value: String) throws { try level.writeSingle(.string(value)) }

    func encode(_ value: Double) throws { try level.writeSingle(.double(value)) }

    func encode(_ value: Float) throws { try level.writeSingle(.double(Double(value))) }

    func encode(_ value: Int8) throws { try level.writeSingle(.int32(Int32(value))) }

    func encode(_ value: Int16) throws { try level.writeSingle(.int32(Int32(value))) }

    func encode(_ value: Int32) throws { try level.writeSingle(.int32(Int32(value))) }

    func encode(_ value: UInt8) throws { try level.writeSingle(.int32(Int32(value))) }

    func encode(_ value: UInt16) throws { try level.writeSingle(.int32(Int32(value))) }

    func encode(_ value: Int) throws { try level.writeSingle(.int64(Int64(value))) }

    func encode(_ value: Int64) throws { try level.writeSingle(.int64(Int64(value))) }

    func encode(_ value: UInt32) throws { try level.writeSingle(.int64(Int64(value))) }

    func encode(_ value: UInt) throws { try level.writeSingle(.int64(try level.int64(value))) }

    func encode(_ value: UInt64) throws { try level.writeSingle(.int64(try level.int64(value))) }
}
