internal import CLibPQ

/// The four parallel arrays in which libpq takes parameters, kept between executions so that binding allocates nothing.
struct ArgumentArrays: ~Copyable {
    private var capacity = 0
    private var values: UnsafeMutablePointer<UnsafePointer<CChar>?>
    private var lengths: UnsafeMutablePointer<Int32>
    private var formats: UnsafeMutablePointer<Int32>
    private var types: UnsafeMutablePointer<Oid>

    init() {
        values = .allocate(capacity: 0)
        lengths = .allocate(capacity: 0)
        formats = .allocate(capacity: 0)
        types = .allocate(capacity: 0)
    }

    deinit {
        free()
    }

    private borrowing func free() {
        values.deallocate()
        lengths.deallocate()
        formats.deallocate()
        types.deallocate()
    }

    private mutating func reserve(_ count: Int) {
        guard count > capacity else { return }
        free()
        capacity = max(count, 16)
        values = .allocate(capacity: capacity)
        lengths = .allocate(capacity: capacity)
        formats = .allocate(capacity: capacity)
        types = .allocate(capacity: capacity)
    }

    /// Lays the parameters out for one call of libpq.
    mutating func withArguments<R>(
        _ parameters: PostgresParameters,
        _ body: (
            _ count: Int32, _ types: UnsafePointer<Oid>, _ values: UnsafePointer<UnsafePointer<CChar>?>,
            _ lengths: UnsafePointer<Int32>, _ formats: UnsafePointer<Int32>
        ) -> R
    ) -> R {
        reserve(parameters.items.count)
        return parameters.writer.withBytes { bytes in
            // An empty value still needs an address: libpq reads a null pointer as NULL.
            let base = (bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped)
                .assumingMemoryBound(to: CChar.self)
            for (index, item) in parameters.items.enumerated() {
                values[index] = item.length < 0 ? nil : base + item.offset
                lengths[index] = Int32(truncatingIfNeeded: max(item.length, 0))
                formats[index] = item.format.rawValue
                types[index] = item.type.oid
            }
            return body(Int32(truncatingIfNeeded: parameters.items.count), types, values, lengths, formats)
        }
    }
}
