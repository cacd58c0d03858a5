import Persistence
import PersistenceCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What every ``Persistence/AuditLog`` must do.
public enum AuditLogConformance {
    /// The checks.
    public static let checks: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("An entry comes back as it was appended, with a time") { fixture in
            let entity = try AuditedEntity(kind: "invoice", id: UUID())
            let new = try NewAuditEntry(
                actor: UserID(), action: AuditAction("invoice.paid"), entity: entity,
                changes: [
                    "state": AuditChange(before: "sent", after: "paid"), "note": AuditChange(after: "„日本“ '\"\\ \n{}"),
                    "hold": AuditChange(before: ""), "empty": AuditChange(),
                ])
            let entry = try await fixture.auditLog.append(new)
            try expectEqual(entry.id, new.id, "the identifier")
            try expectEqual(entry.actor, new.actor, "the actor")
            try expectEqual(entry.action, new.action, "the action")
            try expectEqual(entry.entity, entity, "the entity")
            try expectEqual(entry.changes, new.changes, "the changes")
            let stored = try await fixture.auditLog.entries(of: entity, KeysetPageRequest(limit: 5))
            try expectEqual(stored.items, [entry], "the stored entries")
        },
        ConformanceCheck("An entry needs neither an actor nor changes") { fixture in
            let user = UserID()
            let entry = try await fixture.auditLog.append(
                NewAuditEntry(actor: nil, action: AuditAction("user.expired"), entity: .user(user)))
            try expectEqual(entry.actor, nil, "the actor")
            try expectEqual(entry.changes, [:], "the changes")
            let stored = try await fixture.auditLog.entries(of: .user(user), KeysetPageRequest(limit: 5))
            try expectEqual(stored.items, [entry], "the stored entries")
        },
        ConformanceCheck("An identifier is used once, and the first entry stays") { fixture in
            let user = UserID()
            let first = try await fixture.auditLog.append(
                NewAuditEntry(actor: nil, action: AuditAction("user.first"), entity: .user(user)))
            try await fixture.expectError(.uniqueViolation, .auditEntryID, "appending with a used identifier") {
                try await fixture.auditLog.append(
                    NewAuditEntry(id: first.id, actor: nil, action: AuditAction("user.second"), entity: .user(user)))
            }
            let stored = try await fixture.auditLog.entries(of: .user(user), KeysetPageRequest(limit: 5))
            try expectEqual(stored.items, [first], "the stored entries")
        },
        ConformanceCheck("The character U+0000 is refused") { fixture in
            let user = UserID()
            for changes in [
                ["a\u{0}": AuditChange()], ["a": AuditChange(before: "\u{0}")], ["a": AuditChange(after: "b\u{0}c")],
            ] {
                try await fixture.expectError(.invalidData, nil, "appending U+0000") {
                    try await fixture.auditLog.append(
                        NewAuditEntry(
                            actor: nil, action: AuditAction("user.changed"), entity: .user(user), changes: changes))
                }
            }
            let stored = try await fixture.auditLog.entries(of: .user(user), KeysetPageRequest(limit: 5))
            try expectEqual(stored.items, [], "the stored entries")
        },
        ConformanceCheck("An entity's history is listed page by page, newest first, without others'") { fixture in
            let id = UserID()
            let sameID = AuditedEntity.workspace(WorkspaceID(rawValue: id.rawValue))
            var appended: [AuditEntryID] = []
            for index in 0..<5 {
                let action = try AuditAction("user.step")
                let changes = ["step": AuditChange(after: "\(index)")]
                appended.append(
                    try await fixture.auditLog.append(
                        NewAuditEntry(actor: id, action: action, entity: .user(id), changes: changes)
                    ).id)
                for other in [sameID, .user(UserID())] {
                    try await fixture.auditLog.append(NewAuditEntry(actor: id, action: action, entity: other))
                }
            }
            var seen: [AuditEntryID] = []
            var request = try KeysetPageRequest(limit: 2)
            while true {
                let page = try await fixture.auditLog.entries(of: .user(id), request)
                seen += page.items.map(\.id)
                guard let next = page.next, seen.count < 10 else { break }
                request = try KeysetPageRequest(limit: 2, cursor: next)
            }
            try expectEqual(seen, appended.reversed(), "the entries on all pages")
            let last = try PageCursor(
                listing: Listing<AuditEntryID>.auditEntries.name, keys: [appended[0]], direction: .backward)
            let back = try await fixture.auditLog.entries(of: .user(id), KeysetPageRequest(limit: 2, cursor: last))
            try expectEqual(back.items.map(\.id), [appended[2], appended[1]], "the page before the last entry")
            let none = try await fixture.auditLog.entries(of: .user(UserID()), KeysetPageRequest(limit: 2))
            try expectEqual(none.items, [], "the history of what has none")
        },
    ]
}
