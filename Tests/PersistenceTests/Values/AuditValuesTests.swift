import Foundation
import Persistence
import PersistenceCore
import Testing

@Suite("Actions and entities of the audit log")
struct AuditValuesTests {
    @Test("An action is an entity and a verb", arguments: ["invoice.paid", "a.b", "workspace.member_added"])
    func accepted(text: String) throws {
        #expect(try AuditAction(text).text == text)
    }

    @Test(
        "Other texts are refused",
        arguments: [
            "", ".", "paid", "invoice.", ".paid", "a.b.c", "Invoice.paid", "invoice paid", "ä.b",
            String(repeating: "a", count: 99) + ".b",
        ])
    func refused(text: String) {
        let error = #expect(throws: PersistenceError.self) { try AuditAction(text) }
        #expect(error?.code == .invalidArgument)
        #expect(throws: PersistenceError.self) {
            try JSONDecoder().decode([AuditAction].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test(
        "A kind of entity is a word",
        arguments: ["", "Invoice", "in voice", "in.voice", String(repeating: "a", count: 51)])
    func kinds(text: String) throws {
        let id = UUID()
        #expect(throws: PersistenceError.self) { try AuditedEntity(kind: text, id: id) }
        #expect(throws: PersistenceError.self) {
            try JSONDecoder().decode(
                AuditedEntity.self, from: JSONEncoder().encode(["kind": text, "id": id.uuidString]))
        }
    }

    @Test("The library's own constants have the right form")
    func constants() throws {
        let constants: [AuditAction] = [
            .workspaceCreated, .workspaceRenamed, .workspaceDeleted, .workspaceMemberAdded, .workspaceMemberRoleChanged,
            .workspaceMemberRemoved,
        ]
        for action in constants {
            #expect(try AuditAction(action.text) == action)
        }
        let user = UserID()
        #expect(try AuditedEntity.user(user) == AuditedEntity(kind: "user", id: user.rawValue))
        let workspace = WorkspaceID()
        #expect(try AuditedEntity.workspace(workspace) == AuditedEntity(kind: "workspace", id: workspace.rawValue))
    }
}
