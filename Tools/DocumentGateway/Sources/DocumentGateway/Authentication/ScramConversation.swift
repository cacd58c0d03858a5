internal import BSON

/// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), whose secrets stay in the engine.
package struct ScramConversation: Sendable {
    /// What the client's first message says.
    package struct ClientFirst: Sendable, Equatable {
        package let user: String
        package let nonce: String
        /// The message without its GS2 header, as signatures cover it.
        package let bare: String
        package let header: String

        /// - Throws: ``CommandError`` when the message is not one of SCRAM without channel binding.
        package init(_ payload: [UInt8]) throws(CommandError) {
            guard payload.count <= 4096, let text = String(validating: payload, as: UTF8.self) else {
                throw CommandError(18, "the SASL message cannot be read")
            }
            // gs2-cbind-flag "," [authzid] "," then the attributes.
            let parts = text.split(separator: ",", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0] == "n" || parts[0] == "y", parts[1].isEmpty else {
                throw CommandError(18, "the SASL message has no supported header")
            }
            bare = String(parts[2])
            header = "\(parts[0]),,"
            let attributes = bare.split(separator: ",", omittingEmptySubsequences: false)
            guard attributes.count >= 2, attributes[0].hasPrefix("n="), attributes[1].hasPrefix("r="),
                attributes[1].count > 2
            else { throw CommandError(18, "the SASL message has no user and nonce") }
            let name = attributes[0].dropFirst(2)
            // "=2C" and "=3D" stand for what would end the attribute.
            user = name.split(separator: "=", omittingEmptySubsequences: false).enumerated().map { index, part in
                if index == 0 { return String(part) }
                if part.hasPrefix("2C") { return "," + part.dropFirst(2) }
                if part.hasPrefix("3D") { return "=" + part.dropFirst(2) }
                return "=" + part
            }.joined()
            nonce = String(attributes[1].dropFirst(2))
            guard !user.isEmpty else { throw CommandError(18, "the SASL message has no user") }
        }
    }

    /// Where the conversation is.
    package enum Step: Sendable {
        case clientFinal
        /// The proof was right; the client wants one more empty exchange.
        case empty(AuthenticatedUser)
    }

    package static let id: Int32 = 1

    package let first: ClientFirst
    package let serverFirst: String
    package let nonce: String
    package let database: String
    package let skipsEmptyExchange: Bool
    package var step = Step.clientFinal

    package init(
        first: ClientFirst, salt: String, iterations: Int, nonceSuffix: String, database: String,
        skipsEmptyExchange: Bool
    ) {
        self.first = first
        nonce = first.nonce + nonceSuffix
        serverFirst = "r=\(nonce),s=\(salt),i=\(iterations)"
        self.database = database
        self.skipsEmptyExchange = skipsEmptyExchange
    }

    /// Reads the client's last message.
    ///
    /// - Returns: What the proof signs, and the proof in base 64.
    /// - Throws: ``CommandError`` when the message does not belong to this conversation.
    package func proof(_ payload: [UInt8]) throws(CommandError) -> (message: String, proof: String) {
        guard payload.count <= 4096, let text = String(validating: payload, as: UTF8.self),
            let range = text.range(ofLast: ",p=")
        else { throw CommandError(18, "Authentication failed.") }
        let withoutProof = String(text[..<range.lowerBound])
        let proof = String(text[range.upperBound...])
        let attributes = withoutProof.split(separator: ",", omittingEmptySubsequences: false)
        guard attributes.count >= 2, attributes[0] == "c=\(first.header == "y,," ? "eSws" : "biws")",
            attributes[1] == "r=\(nonce)"
        else { throw CommandError(18, "Authentication failed.") }
        return ("\(first.bare),\(serverFirst),\(withoutProof)", proof)
    }

    /// A reply of the conversation.
    static func reply(_ payload: String, isDone: Bool) -> Document {
        [
            "conversationId": .int32(id), "done": .bool(isDone),
            "payload": .binary(BSONBinary(bytes: Array(payload.utf8))), "ok": 1.0,
        ]
    }
}

extension String {
    fileprivate func range(ofLast text: String) -> Range<String.Index>? {
        var start = index(endIndex, offsetBy: -text.count, limitedBy: startIndex)
        while let position = start {
            let end = index(position, offsetBy: text.count)
            if self[position..<end] == text { return position..<end }
            start = position > startIndex ? index(before: position) : nil
        }
        return nil
    }
}
