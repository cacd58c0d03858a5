import BSON
import DocumentGateway
import Testing

@Suite("Roles")
struct RoleTests {
    @Test("A role allows what it is for, on its database")
    func databases() {
        let read = Role(name: .read, database: "app")
        #expect(read.allows(.read(database: "app")))
        #expect(!read.allows(.read(database: "other")))
        #expect(!read.allows(.write(database: "app")))
        let write = Role(name: .readWrite, database: "app")
        #expect(write.allows(.write(database: "app")))
        #expect(write.allows(.administer(database: "app")))
        #expect(!write.allows(.dropDatabase("app")))
        #expect(!write.allows(.manageUsers(database: "app")))
        let administer = Role(name: .dbAdmin, database: "app")
        #expect(administer.allows(.dropDatabase("app")))
        #expect(!administer.allows(.read(database: "app")))
    }

    @Test("Only root may do everything, and everybody what is open")
    func everything() {
        let all: [Privilege] = [
            .open, .authenticated, .read(database: "x"), .write(database: "x"), .administer(database: "x"),
            .dropDatabase("x"), .manageUsers(database: "x"), .monitor, .manageServer,
        ]
        for name in Role.Name.allCases {
            let role = Role(name: name, database: "admin")
            #expect(role.allows(.open) && role.allows(.authenticated))
            #expect(all.allSatisfy(role.allows) == (name == .root))
        }
    }
}

@Suite("SCRAM-SHA-256")
struct ScramTests {
    @Test("The client's first message is taken apart")
    func first() throws {
        let message = try ScramConversation.ClientFirst(Array("n,,n=a=2Cb=3Dc,r=rOprNGfwEbeRWgbNEkqO".utf8))
        #expect(message.user == "a,b=c")
        #expect(message.nonce == "rOprNGfwEbeRWgbNEkqO")
        #expect(message.bare == "n=a=2Cb=3Dc,r=rOprNGfwEbeRWgbNEkqO")
    }

    @Test(
        "A first message that is none is refused",
        arguments: [
            "", "n", "n,,", "p=tls,,n=a,r=b", "n,,n=,r=b", "n,,n=a,r=", "n,,r=b,n=a", "n,a=x,n=a,r=b", "\u{0}",
        ])
    func badFirst(text: String) {
        #expect(throws: CommandError.self) { try ScramConversation.ClientFirst(Array(text.utf8)) }
    }

    @Test("The last message must belong to the conversation")
    func last() throws {
        let first = try ScramConversation.ClientFirst(Array("n,,n=user,r=abc".utf8))
        let conversation = ScramConversation(
            first: first, salt: "c2FsdA==", iterations: 4096, nonceSuffix: "def", database: "admin",
            skipsEmptyExchange: true)
        let (message, proof) = try conversation.proof(Array("c=biws,r=abcdef,p=cHJvb2Y=".utf8))
        #expect(proof == "cHJvb2Y=")
        #expect(message == "n=user,r=abc,r=abcdef,s=c2FsdA==,i=4096,c=biws,r=abcdef")
        for text in ["", ",p=", "c=biws,r=abc,p=x", "c=eSws,r=abcdef,p=x", "r=abcdef,c=biws,p=x", "c=biws,r=abcdef"] {
            #expect(throws: CommandError.self) { try conversation.proof(Array(text.utf8)) }
        }
        #expect(throws: CommandError.self) { try conversation.proof([0xFF, 0xFE]) }
        #expect(throws: CommandError.self) { try conversation.proof([UInt8](repeating: 0x61, count: 1 << 20)) }
    }
}

@Suite("Fail points")
struct FailPointTests {
    private func configure(_ points: FailPoints, _ mode: BSONValue, application: String? = nil) throws {
        var data: Document = ["failCommands": ["find"], "errorCode": .int32(9)]
        if let application { data.append("appName", .string(application)) }
        let body: Document = [
            "configureFailPoint": "failCommand", "mode": mode, "data": .document(data), "$db": "admin",
        ]
        try points.configure(Command(WireRequest(body: body)))
    }

    @Test("They count, skip and end")
    func modes() throws {
        let points = FailPoints()
        try configure(points, ["times": 2])
        #expect(points.effect(on: "insert", application: nil) == nil)
        #expect((0..<4).map { _ in points.effect(on: "find", application: nil)?.errorCode } == [9, 9, nil, nil])
        try configure(points, ["skip": 1])
        #expect((0..<3).map { _ in points.effect(on: "find", application: nil)?.errorCode } == [nil, 9, 9])
        try configure(points, "off")
        #expect(points.effect(on: "find", application: nil) == nil)
    }

    @Test("One for an application leaves others alone")
    func applications() throws {
        let points = FailPoints()
        try configure(points, "alwaysOn", application: "a")
        #expect(points.effect(on: "find", application: "a") != nil)
        #expect(points.effect(on: "find", application: "b") == nil)
    }

    @Test("What makes no sense is refused", arguments: ["sometimes", 5, ["times": -1], nil] as [BSONValue])
    func refusals(mode: BSONValue) {
        #expect(throws: CommandError.self) { try configure(FailPoints(), mode) }
    }
}
