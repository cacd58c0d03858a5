internal import CMongoC
internal import PersistenceCore

/// Owns a connection string in the C library's form.
struct MongoURI: ~Copyable {
    let pointer: OpaquePointer

    /// Takes over a `mongoc_uri_t`.
    init(stealing pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        mongoc_uri_destroy(pointer)
    }

    /// Parses a text.
    ///
    /// - Parameters:
    ///   - text: The connection string.
    ///   - key: The name under which faults are reported.
    ///   - faults: Takes what is wrong, without quoting the text: it holds the password.
    init?(parsing text: String, key: String, faults: inout ConfigurationFaults) {
        guard !text.utf8.contains(0) else {
            faults.add(key: key, "holds a NUL character")
            return nil
        }
        let (pointer, warnings) = MongoLibrary.capturingWarnings { mongoc_uri_new_with_error(text, nil) }
        guard let pointer else {
            let hasScheme = text.hasPrefix("mongodb://") || text.hasPrefix("mongodb+srv://")
            faults.add(
                key: key,
                hasScheme
                    ? "is not a connection string that the driver can read; user, password and options must be percent-encoded"
                    : "does not begin with mongodb:// or mongodb+srv://")
            return nil
        }
        self.pointer = pointer
        if !warnings.isEmpty {
            faults.add(key: key, "has an option that the driver does not know, or with a value that it does not accept")
        }
    }

    var hosts: [MongoHost] {
        var list: [MongoHost] = []
        var next = mongoc_uri_get_hosts(pointer)
        while let entry = next {
            list.append(MongoHost(String(cArray: entry.address(of: \.host)), port: Int(entry.pointee.port)))
            next = UnsafePointer(entry.pointee.next)
        }
        return list
    }

    func text(_ option: String) -> String? {
        mongoc_uri_get_option_as_utf8(pointer, option, nil).map { String(cString: $0) }
    }

    func number(_ option: String) -> Int32? {
        guard mongoc_uri_has_option(pointer, option) else { return nil }
        return mongoc_uri_get_option_as_int32(pointer, option, 0)
    }

    func flag(_ option: String) -> Bool? {
        guard mongoc_uri_has_option(pointer, option) else { return nil }
        return mongoc_uri_get_option_as_bool(pointer, option, false)
    }

    func set(_ option: String, _ value: Int32?) {
        if let value { mongoc_uri_set_option_as_int32(pointer, option, value) }
    }

    func set(_ option: String, _ value: Bool?) {
        if let value { mongoc_uri_set_option_as_bool(pointer, option, value) }
    }

    func set(_ option: String, _ value: String?) {
        if let value { mongoc_uri_set_option_as_utf8(pointer, option, value) }
    }
}

extension UnsafePointer {
    /// The address of a field that Swift would copy as a tuple.
    func address<Field>(of field: KeyPath<Pointee, Field>) -> UnsafeRawPointer? {
        MemoryLayout<Pointee>.offset(of: field).map { UnsafeRawPointer(self) + $0 }
    }
}

extension String {
    /// Reads a text that ends with a NUL, out of a field of a C struct.
    init(cArray pointer: UnsafeRawPointer?) {
        self = pointer.map { String(cString: $0.assumingMemoryBound(to: CChar.self)) } ?? ""
    }

    /// Undoes percent-encoding; nil when it is malformed.
    var percentDecoded: String? {
        guard let text = mongoc_uri_unescape(self) else { return nil }
        defer { bson_free(text) }
        return String(cString: text)
    }
}
