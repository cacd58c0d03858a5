extension Document {
    /// Creates a document with one field, which is a document with one field: what most conditions and changes are.
    ///
    /// - Parameters:
    ///   - key: The field's key.
    ///   - inner: The key of the field in its document.
    ///   - value: That field's value.
    package init(_ key: String, _ inner: String, _ value: BSONValue) {
        self.init(writing: { writer in
            var key = key
            key.withUTF8 { key in
                // Its length is written when it is known.
                guard let start = writer.field(0x03, key, valueSize: 4) else { return }
                writer.append(inner, value)
                writer.finish(from: start)
            }
        })
    }
}
