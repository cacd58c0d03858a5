extension Document {
    /// How large and how deeply nested a document may be.
    public struct Limits: Hashable, Sendable {
        /// The largest number of bytes.
        public var byteCount: Int
        /// The largest number of documents and arrays within each other, the outermost counted.
        public var depth: Int

        /// Sets both limits.
        ///
        /// - Parameters:
        ///   - byteCount: The largest number of bytes.
        ///   - depth: The largest number of documents and arrays within each other, the outermost counted.
        public init(byteCount: Int = 16_777_216, depth: Int = 100) {
            self.byteCount = byteCount
            self.depth = depth
        }

        /// What a MongoDB server stores: 16 MiB (`maxBsonObjectSize`) and 100 levels (MongoDB manual, "Limits and
        /// Thresholds").
        public static let standard = Limits()

        /// What BSON itself can say: 2 GiB and any depth.
        public static let none = Limits(byteCount: Int(Int32.max), depth: .max)
    }
}
