import BSON
import CBSON

/// What libbson says about documents.
enum Oracle {
    /// The document in libbson's extended JSON, or `nil` when libbson cannot read it.
    static func json(_ bytes: [UInt8], canonical: Bool = true) -> String? {
        withDocument(bytes) { document in
            var length = 0
            let text =
                canonical
                ? bson_as_canonical_extended_json(document, &length) : bson_as_relaxed_extended_json(document, &length)
            guard let text else { return nil }
            defer { bson_free(text) }
            return String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
        } ?? nil
    }

    /// Whether libbson finds the structure and the UTF-8 valid.
    static func isValid(_ bytes: [UInt8]) -> Bool {
        withDocument(bytes) { document in
            let flags = BSON_VALIDATE_UTF8.rawValue | BSON_VALIDATE_UTF8_ALLOW_NULL.rawValue
            return bson_validate(document, bson_validate_flags_t(rawValue: flags), nil)
        } ?? false
    }

    /// The bytes that libbson makes of extended JSON.
    static func bytes(json: String) -> [UInt8]? {
        guard let document = bson_new_from_json(json, json.utf8.count, nil) else { return nil }
        defer { bson_destroy(document) }
        guard let data = bson_get_data(document) else { return nil }
        // libbson's own struct cannot be seen from Swift; the length is what the bytes begin with.
        let length = UnsafeRawPointer(data).loadUnaligned(as: Int32.self)
        return [UInt8](UnsafeRawBufferPointer(start: data, count: Int(Int32(littleEndian: length))))
    }

    private static func withDocument<Result>(_ bytes: [UInt8], _ body: (OpaquePointer) -> Result) -> Result? {
        bytes.withUnsafeBufferPointer { buffer -> Result? in
            guard let base = buffer.baseAddress, let document = bson_new_from_data(base, buffer.count) else {
                return nil
            }
            defer { bson_destroy(document) }
            return body(document)
        }
    }
}
