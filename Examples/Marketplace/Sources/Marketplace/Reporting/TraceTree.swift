import InMemoryTracing
import Tracing

/// Finished spans as a tree: each under its parent, in the order they started.
struct TraceTree: CustomStringConvertible {
    private let spans: [FinishedInMemorySpan]

    init(_ spans: [FinishedInMemorySpan]) {
        self.spans = spans.sorted { $0.startInstant.nanosecondsSinceEpoch < $1.startInstant.nanosecondsSinceEpoch }
    }

    var description: String {
        let known = Set(spans.map(\.spanID))
        let roots = spans.filter { span in span.parentSpanID.map { !known.contains($0) } ?? true }
        return roots.flatMap { lines(of: $0, prefix: "", isLast: true, isRoot: true) }.joined(separator: "\n")
    }

    private func lines(of span: FinishedInMemorySpan, prefix: String, isLast: Bool, isRoot: Bool) -> [String] {
        let children = spans.filter { $0.parentSpanID == span.spanID }
        let branch = isRoot ? "" : isLast ? "└─ " : "├─ "
        let indentation = isRoot ? "" : isLast ? "   " : "│  "
        return [prefix + branch + Self.text(of: span)]
            + children.enumerated().flatMap { index, child in
                lines(of: child, prefix: prefix + indentation, isLast: index == children.count - 1, isRoot: false)
            }
    }

    private static func text(of span: FinishedInMemorySpan) -> String {
        let nanoseconds = span.endInstant.nanosecondsSinceEpoch - span.startInstant.nanosecondsSinceEpoch
        var text = "\(span.operationName)  \(Duration.nanoseconds(Int64(clamping: nanoseconds)).milliseconds)"
        for key in ["db.system.name", "db.collection.name", "db.response.status_code", "error.type"] {
            if let value = span.attributes.get(key) { text += "  \(key)=\(Self.text(of: value))" }
        }
        return text
    }

    private static func text(of attribute: SpanAttribute) -> String {
        switch attribute {
        case .string(let value): value
        case .stringConvertible(let value): "\(value)"
        case .int32(let value): "\(value)"
        case .int64(let value): "\(value)"
        default: "…"
        }
    }
}
