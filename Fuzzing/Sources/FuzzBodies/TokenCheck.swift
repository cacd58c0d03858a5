import Foundation

@testable import PersistenceCore

/// Page tokens, which anybody can send: refused, or the token of the cursor that was read.
enum TokenCheck {
    /// The input: 0 and the text of a token, or another byte and what a token holds, which is given the right checksum.
    static func run(_ input: UnsafeRawBufferPointer) throws {
        guard let kind = input.first else { return }
        let rest = input.from(1)
        let token = kind == 0 ? rest.text : token(of: Array(rest))
        let cursor: PageCursor
        do {
            cursor = try PageCursor(token: token)
        } catch {
            return try require(error.code == .invalidArgument, "a token throws \(error.code)")
        }
        let again: String
        do {
            again = try PageToken.encode(listing: cursor.listing, direction: cursor.direction, keys: cursor.keys)
        } catch {
            throw Finding("a cursor was read that has no token")
        }
        let second = try PageCursor(token: again)
        try require(
            second.listing == cursor.listing && second.direction == cursor.direction
                && second.keys.map(\.description) == cursor.keys.map(\.description),
            "a cursor changes on its way")
        try require(
            try PageToken.encode(listing: second.listing, direction: second.direction, keys: second.keys) == again,
            "a cursor has two tokens")
        // No value is shown, and none stops the reading of the keys.
        _ = "\(cursor)"
        _ = try? cursor.values(of: cursor.listing, Int.self)
        _ = try? cursor.values(of: cursor.listing, Date.self, UUID.self)
        _ = try? cursor.values(of: cursor.listing, String.self, Double.self, Int16.self)
    }

    /// A token with a good version and checksum: FNV-1a of what it holds.
    static func token(of body: [UInt8]) -> String {
        let checksum = body.reduce(0x811C_9DC5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let bytes = [1] + (0..<4).map { UInt8(truncatingIfNeeded: checksum >> ($0 * 8)) } + body
        return Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }
}
