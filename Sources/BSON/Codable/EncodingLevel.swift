internal import PersistenceCore

/// The encoder of one value: it opens a document or an array in the shared bytes, or writes a single value there.
final class EncodingLevel {
    enum Kind {
        /// Nothing has been encoded yet.
        case nothing
        case document
        case array
        case single
    }

    /// A container that was handed out and is filled out of turn, in bytes of its own.
    ///
    /// It goes where it was asked for.
    struct Pending {
        var offset: Int
        var key: [UInt8]
        var state: EncodingState
        var level: EncodingLevel
    }

    let state: EncodingState
    private(set) var parent: EncodingLevel?
    let depth: Int
    /// Where the type byte of this value is, or `nil` when it is the outermost one of its bytes.
    private(set) var typeOffset: Int?
    /// The key of a level in bytes of its own; that of any other is where the type byte is.
    private let detachedKey: [UInt8]?
    var kind = Kind.nothing
    /// Where the document or array begins.
    var start = 0
    /// The next index of an array.
    var index = 0
    var pending: [Pending] = []
    /// A level within this one that is done, for the next value.
    private var spare: EncodingLevel?

    init(root state: EncodingState) {
        self.state = state
        parent = nil
        depth = 1
        typeOffset = nil
        detachedKey = nil
        state.top = ObjectIdentifier(self)
    }

    /// A level in bytes of its own, for a container that is filled out of turn.
    init(detachedFrom parent: EncodingLevel, key: [UInt8]) {
        state = EncodingState(parent.state.root, limits: parent.state.limits)
        self.parent = parent
        depth = parent.depth + 1
        typeOffset = nil
        detachedKey = key
        state.top = ObjectIdentifier(self)
    }

    init(parent: EncodingLevel, typeOffset: Int) {
        state = parent.state
        self.parent = parent
        depth = parent.depth + 1
        self.typeOffset = typeOffset
        detachedKey = nil
    }

    /// A level for a value within this one.
    private func child(typeOffset: Int) -> EncodingLevel {
        guard let child = spare else { return EncodingLevel(parent: self, typeOffset: typeOffset) }
        spare = nil
        child.parent = self
        child.typeOffset = typeOffset
        child.kind = .nothing
        child.index = 0
        return child
    }

    /// Keeps a level that is done for the next value, unless the value has kept its encoder.
    private func keep(_ child: consuming EncodingLevel) {
        var child: EncodingLevel? = child
        guard isKnownUniquelyReferenced(&child) else { return }
        child?.parent = nil
        spare = child
    }

    /// Where the value is within the outermost one.
    ///
    /// Made of the keys that have been written, when somebody asks.
    var path: [any CodingKey] {
        var path: [any CodingKey] = []
        var level: EncodingLevel? = self
        while let current = level {
            if let parent = current.parent { path.append(parent.pathKey(current.keyBytes)) }
            level = current.parent
        }
        return path.reversed()
    }

    private var keyBytes: [UInt8] {
        if let detachedKey { return detachedKey }
        guard let typeOffset else { return [] }
        return Array(state.writer.pointee.bytes.dropFirst(typeOffset + 1).prefix { $0 != 0 })
    }

    /// The key of a coding path for a key of this document or array.
    func pathKey(_ bytes: some Sequence<UInt8>) -> PathKey {
        let text = String(decoding: Array(bytes), as: UTF8.self)
        if kind == .array, let index = Int(text) { return PathKey(intValue: index) }
        return PathKey(stringValue: text)
    }

    func setType(_ type: UInt8) {
        if let typeOffset { state.writer.pointee.store(type, at: typeOffset) } else { state.rootType = type }
    }

    /// Opens the document or array that this value is.
    func open(_ wanted: Kind, _ type: UInt8) {
        if kind == wanted { return }
        guard kind == .nothing else {
            // The protocol lets nobody throw here, so the error waits for the next write.
            state.misuse = "it encodes itself both as fields and as something else"
            return
        }
        kind = wanted
        setType(type)
        start = state.writer.pointee.count
        guard state.writer.pointee.reserve(4) else { return }
        state.writer.pointee.count += 4
    }

    /// Ends this value.
    func close() throws {
        if kind == .nothing { open(.document, 0x03) }
        guard kind != .single else { return }
        // From the last to the first, so that the offsets of those before stay right.
        for child in pending.reversed() { try splice(child) }
        pending = []
        state.writer.pointee.finish(from: start)
    }

    private func splice(_ child: Pending) throws {
        try child.level.close()
        if let misuse = child.state.misuse { state.misuse = misuse }
        if let fault = child.state.writer.pointee.fault { state.writer.pointee.fault = fault }
        let (type, bytes, count) = child.state.finish()
        bytes.withUnsafeBytes { value in
            child.key.withUnsafeBufferPointer { key in
                state.writer.pointee.insert(
                    type, key, value: UnsafeRawBufferPointer(rebasing: value[..<count]), at: child.offset)
            }
        }
    }

    /// A container for a field, to be filled at any time before this level is closed.
    func detached(_ key: some CodingKey) -> EncodingLevel {
        put([UInt8](key.stringValue.utf8))
    }

    /// A container for the next element of this array.
    func detachedElement() -> EncodingLevel {
        let key = [UInt8](String(index).utf8)
        index += 1
        return put(key)
    }

    private func put(_ key: [UInt8]) -> EncodingLevel {
        if depth >= state.limits.depth { state.misuse = "it is nested more deeply than allowed" }
        let level = EncodingLevel(detachedFrom: self, key: key)
        pending.append(Pending(offset: state.writer.pointee.count, key: key, state: level.state, level: level))
        return level
    }

    /// Whether this level may write now.
    @inline(__always)
    func checkTurn() throws {
        if state.top != ObjectIdentifier(self) || state.misuse != nil { try failTurn() }
    }

    private func failTurn() throws {
        throw invalid(state.misuse ?? "a container was used while a value within it was being encoded")
    }

    func invalid(_ summary: String, _ key: PathKey? = nil) -> EncodingError {
        let place = path + (key.map { [$0] } ?? [])
        return .invalidValue(
            summary, .init(codingPath: place, debugDescription: summary, underlyingError: OwnEncodingError(summary)))
    }
}

extension EncodingLevel: Encoder {
    var codingPath: [any CodingKey] { path }

    var userInfo: [CodingUserInfoKey: Any] { state.root.options.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        open(.document, 0x03)
        return KeyedEncodingContainer(KeyedEncoding<Key>(level: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        open(.array, 0x04)
        return UnkeyedEncoding(level: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleValueEncoding(level: self)
    }
}

// MARK: - Values

extension EncodingLevel {
    /// Encodes the outermost value.
    func encodeWhole<Value: Encodable>(_ value: Value) throws {
        if let native = try native(value) {
            try writeSingle(native)
        } else {
            try value.encode(to: self)
            try close()
            if let misuse = state.misuse { throw invalid(misuse) }
        }
    }

    /// Writes a field.
    func encode<Value: Encodable>(_ value: Value, _ key: UnsafeBufferPointer<UInt8>) throws {
        try checkTurn()
        if let type = NativeType.of(Value.self) {
            do {
                if try write(value, type, key) { return }
            } catch let error as OwnEncodingError {
                throw invalid(error.summary, pathKey(key))
            }
        }
        guard depth < state.limits.depth else {
            throw PersistenceError(.tooLarge, "the document is nested more than \(state.limits.depth) levels deep")
        }
        let before = state.writer.pointee.count
        guard state.writer.pointee.field(0x0A, key, valueSize: 0) != nil else { return }
        let child = child(typeOffset: before)
        state.top = ObjectIdentifier(child)
        defer { state.top = ObjectIdentifier(self) }
        do {
            try value.encode(to: child)
            try child.close()
            keep(child)
        } catch {
            // Whoever catches this goes on without the field.
            state.writer.pointee.count = before
            throw error
        }
    }

    /// Writes the value that this level is.
    func writeSingle(_ value: BSONValue) throws {
        try checkTurn()
        guard kind == .nothing else { throw invalid("it encodes itself more than once") }
        kind = .single
        setType(value.type.rawValue)
        state.writer.pointee.appendBare(value)
    }

    /// Writes the value that this level is, when it is one that encodes itself.
    func encodeSingle<Value: Encodable>(_ value: Value) throws {
        if let native = try native(value) { return try writeSingle(native) }
        try checkTurn()
        guard kind == .nothing else { throw invalid("it encodes itself more than once") }
        try value.encode(to: self)
    }
}
