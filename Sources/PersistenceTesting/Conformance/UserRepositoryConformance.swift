import Persistence
import PersistenceCore

/// What every ``Persistence/UserRepository`` must do.
public enum UserRepositoryConformance {
    /// The checks.
    public static let checks: [ConformanceCheck<RepositoryFixture>] =
        signingUp + batches + changes + deletion + lists

    private static let signingUp: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("A user who signs up is found by identifier and by address in any case") { fixture in
            let new = try NewUser(email: EmailAddress("Ada.L@Example.org"), name: DisplayName(" Ada Lovelace "))
            let user = try await fixture.users.create(new)
            try expectEqual(user.id, new.id, "the identifier")
            try expectEqual(user.email.text, "Ada.L@example.org", "the address")
            try expectEqual(user.name.text, "Ada Lovelace", "the name")
            try expectEqual(user.version, 1, "the version")
            try expectEqual(user.updatedAt, user.createdAt, "the time of the last change")
            try expectEqual(user.deletedAt, nil, "the time of deletion")
            try expectEqual(try await fixture.users.user(id: new.id), user, "the user by identifier")
            for spelling in ["ada.l@example.org", "ADA.L@EXAMPLE.ORG"] {
                let found = try await fixture.users.user(email: EmailAddress(spelling))
                try expectEqual(found, user, "the user by address")
                try expectEqual(found?.email.text, "Ada.L@example.org", "the address as it was given")
            }
        },
        ConformanceCheck("Whoever does not exist is not found") { fixture in
            try expectEqual(try await fixture.users.user(id: UserID()), nil, "the user by identifier")
            try expectEqual(try await fixture.users.user(email: Sample.email("nobody")), nil, "the user by address")
        },
        ConformanceCheck("An address is taken once, in whatever case") { fixture in
            let ada = try await fixture.signUp("ada")
            try await fixture.expectError(.uniqueViolation, .userEmail, "signing up with a taken address") {
                try await fixture.users.create(NewUser(email: EmailAddress("ADA@Example.org"), name: ada.name))
            }
            try expectEqual(try await fixture.users.user(email: ada.email), ada, "the first user")
        },
        ConformanceCheck("An identifier is used once, also after the user was deleted") { fixture in
            let ada = try await fixture.signUp("ada")
            let again = try NewUser(id: ada.id, email: Sample.email("grace"), name: ada.name)
            try await fixture.expectError(.uniqueViolation, .userID, "signing up with a used identifier") {
                try await fixture.users.create(again)
            }
            try await fixture.users.softDelete(ada.id, expecting: 1)
            try await fixture.expectError(.uniqueViolation, .userID, "signing up with a deleted user's identifier") {
                try await fixture.users.create(again)
            }
        },
        ConformanceCheck("Text is stored as it is: quotes, other scripts, long names") { fixture in
            let names = [
                "Robert'); DROP TABLE users;--", "\\x00 $1 %s {}", "山田太郎", "Łukasz Żółć", "👩‍👩‍👧", "e\u{301}", "é",
                String(repeating: "🙂", count: DisplayName.maximumLength),
            ]
            for (index, name) in names.enumerated() {
                let user = try await fixture.users.create(
                    NewUser(email: EmailAddress("o'brien+\(index)%_@example.org"), name: DisplayName(name)))
                let found = try await fixture.users.user(id: user.id)
                let text = try unwrap(found, "the user").name.text
                try expect(text.unicodeScalars.elementsEqual(name.unicodeScalars), "name \(index) comes back unchanged")
                try expectEqual(try await fixture.users.user(email: user.email)?.id, user.id, "the user by address")
            }
        },
    ]

    private static let batches: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("A batch signs everybody up, in the order given") { fixture in
            let new = try ["grace", "ada", "edsger"].map(Sample.user)
            let created = try await fixture.users.createMany(new)
            try expectEqual(created.map(\.id), new.map(\.id), "the order")
            try expectEqual(created.map(\.name.text), ["grace", "ada", "edsger"], "the names")
            try expect(created.allSatisfy { $0.version == 1 }, "every version is 1")
            let found = try await fixture.users.users(ids: new.map(\.id))
            try expectEqual(found, Dictionary(uniqueKeysWithValues: created.map { ($0.id, $0) }), "the stored users")
        },
        ConformanceCheck("An empty batch does nothing") { fixture in
            try expectEqual(try await fixture.users.createMany([]), [], "the result of creating nobody")
            try expectEqual(
                try await fixture.users.createManyIfAbsent([]), [], "the result of creating nobody if absent")
            try expectEqual(try await fixture.users.users(ids: []), [:], "the result of looking nobody up")
        },
        ConformanceCheck("A batch with a taken address signs nobody up") { fixture in
            try await fixture.signUp("ada")
            let new = try [
                Sample.user("grace"), NewUser(email: EmailAddress("ADA@example.org"), name: DisplayName("A")),
            ]
            try await fixture.expectError(.uniqueViolation, .userEmail, "a batch with a taken address") {
                try await fixture.users.createMany(new)
            }
            try expectEqual(try await fixture.users.users(ids: new.map(\.id)), [:], "what is left of the batch")
        },
        ConformanceCheck("A batch with one address twice signs nobody up") { fixture in
            let new = try ["grace", "Grace"].map(Sample.user)
            try await fixture.expectError(.uniqueViolation, .userEmail, "a batch with one address twice") {
                try await fixture.users.createMany(new)
            }
            try expectEqual(try await fixture.users.users(ids: new.map(\.id)), [:], "what is left of the batch")
        },
        ConformanceCheck("Only those with a free address sign up, the first of several with the same") { fixture in
            let ada = try await fixture.signUp("ada")
            let new = try ["zoe", "ADA", "grace", "Zoe", "edsger"].map(Sample.user)
            let created = try await fixture.users.createManyIfAbsent(new)
            try expectEqual(created.map(\.id), [new[0].id, new[2].id, new[4].id], "who signed up")
            try expectEqual(try await fixture.users.user(email: ada.email), ada, "who was there before")
            try expectEqual(try await fixture.users.createManyIfAbsent(new), [], "the result of the second attempt")
        },
        ConformanceCheck("A used identifier with a free address refuses the whole batch") { fixture in
            let ada = try await fixture.signUp("ada")
            let new = try [
                Sample.user("grace"), NewUser(id: ada.id, email: Sample.email("edsger"), name: ada.name),
            ]
            try await fixture.expectError(.uniqueViolation, .userID, "a batch with a used identifier") {
                _ = try await fixture.users.createManyIfAbsent(new)
            }
            try expectEqual(try await fixture.users.user(id: new[0].id), nil, "what is left of the batch")
        },
        ConformanceCheck("A batch may have 10,000 values and no more") { fixture in
            let new = try (0...Batch.maximumCount).map { try Sample.user("u\($0)") }
            let ids = new.map(\.id)
            try await fixture.expectError(.tooLarge, nil, "creating too many") {
                try await fixture.users.createMany(new)
            }
            try await fixture.expectError(.tooLarge, nil, "creating too many if absent") {
                _ = try await fixture.users.createManyIfAbsent(new)
            }
            try await fixture.expectError(.tooLarge, nil, "looking too many up") {
                _ = try await fixture.users.users(ids: ids)
            }
            let created = try await fixture.users.createMany(new.dropLast())
            try expectEqual(created.count, Batch.maximumCount, "the number created")
            let found = try await fixture.users.users(ids: ids.dropLast())
            try expectEqual(found.count, Batch.maximumCount, "the number found")
        },
        ConformanceCheck("Many identifiers give those who exist, once each") { fixture in
            let ada = try await fixture.signUp("ada")
            let grace = try await fixture.signUp("grace")
            try await fixture.users.softDelete(grace.id, expecting: 1)
            let found = try await fixture.users.users(ids: [ada.id, UserID(), grace.id, ada.id])
            try expectEqual(found, [ada.id: ada], "the users found")
        },
    ]

    private static let changes: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("A change raises the version and leaves the rest as it is") { fixture in
            let ada = try await fixture.signUp("ada")
            let renamed = try await fixture.users.update(
                ada.id, with: UserUpdate(name: DisplayName("Ada K.")), expecting: 1)
            try expectEqual(renamed.version, 2, "the version")
            try expectEqual(renamed.name.text, "Ada K.", "the name")
            try expectEqual(renamed.email.text, ada.email.text, "the address")
            try expectEqual(renamed.createdAt, ada.createdAt, "the time of signing up")
            try expect(renamed.updatedAt >= ada.updatedAt, "the time of the last change does not go back")

            let moved = try await fixture.users.update(
                ada.id, with: UserUpdate(email: EmailAddress("ADA@example.org")), expecting: 2)
            try expectEqual(moved.version, 3, "the version")
            try expectEqual(moved.email.text, "ADA@example.org", "the address, which only changed its case")
            try expectEqual(moved.name.text, "Ada K.", "the name")
            try expectEqual(try await fixture.users.user(id: ada.id), moved, "the stored user")

            let same = try await fixture.users.update(ada.id, with: UserUpdate(), expecting: 3)
            try expectEqual(same.version, 4, "the version after an update without changes")
        },
        ConformanceCheck("A change of a state that is no longer current is refused") { fixture in
            let ada = try await fixture.signUp("ada")
            let current = try await fixture.users.update(
                ada.id, with: UserUpdate(name: DisplayName("first")), expecting: 1)
            for version in [Int64.min, -1, 0, 1, 3, .max] {
                try await fixture.expectError(.staleVersion, nil, "an update expecting version \(version)") {
                    try await fixture.users.update(
                        ada.id, with: UserUpdate(name: DisplayName("late")), expecting: version)
                }
            }
            try await fixture.expectError(.staleVersion, nil, "deleting an outdated state") {
                try await fixture.users.softDelete(ada.id, expecting: 1)
            }
            try expectEqual(try await fixture.users.user(id: ada.id), current, "the stored user")
        },
        ConformanceCheck("Whoever does not exist cannot be changed") { fixture in
            let ada = try await fixture.signUp("ada")
            try await fixture.users.softDelete(ada.id, expecting: 1)
            for id in [UserID(), ada.id] {
                try await fixture.expectError(.notFound, nil, "an update") {
                    try await fixture.users.update(id, with: UserUpdate(name: DisplayName("x")), expecting: 2)
                }
                try await fixture.expectError(.notFound, nil, "a deletion") {
                    try await fixture.users.softDelete(id, expecting: 2)
                }
            }
        },
        ConformanceCheck("Nobody can change to an address that is taken") { fixture in
            let ada = try await fixture.signUp("ada")
            let grace = try await fixture.signUp("grace")
            try await fixture.expectError(.uniqueViolation, .userEmail, "changing to a taken address") {
                try await fixture.users.update(
                    grace.id, with: UserUpdate(email: EmailAddress("Ada@example.org")), expecting: 1)
            }
            try expectEqual(try await fixture.users.user(id: grace.id), grace, "the user who wanted the address")

            try await fixture.users.update(ada.id, with: UserUpdate(email: Sample.email("lovelace")), expecting: 1)
            let moved = try await fixture.users.update(grace.id, with: UserUpdate(email: ada.email), expecting: 1)
            try expectEqual(moved.email, ada.email, "the address, once it is free")
        },
    ]

    private static let deletion: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("A deleted user does not exist, and its address is free") { fixture in
            let ada = try await fixture.signUp("ada")
            let deleted = try await fixture.users.softDelete(ada.id, expecting: 1)
            try expectEqual(deleted.version, 2, "the version")
            try expect(deleted.deletedAt != nil, "the deleted user has a time of deletion")
            try expectEqual(try await fixture.users.user(id: ada.id), nil, "the user by identifier")
            try expectEqual(try await fixture.users.user(email: ada.email), nil, "the user by address")
            let other = try await fixture.signUp("ada")
            try expectEqual(try await fixture.users.user(email: ada.email), other, "the next with the address")
        },
        ConformanceCheck("A deleted user comes back as it was, with the next version") { fixture in
            let ada = try await fixture.signUp("ada")
            try await fixture.users.softDelete(ada.id, expecting: 1)
            let restored = try await fixture.users.restore(ada.id)
            try expectEqual(restored.version, 3, "the version")
            try expectEqual(restored.name, ada.name, "the name")
            try expectEqual(restored.createdAt, ada.createdAt, "the time of signing up")
            try expectEqual(restored.deletedAt, nil, "the time of deletion")
            try expectEqual(try await fixture.users.user(email: ada.email), restored, "the user by address")
            try expectEqual(try await fixture.users.restore(ada.id), restored, "the user restored twice")
        },
        ConformanceCheck("A deleted user whose address was taken meanwhile stays deleted") { fixture in
            let ada = try await fixture.signUp("ada")
            try await fixture.users.softDelete(ada.id, expecting: 1)
            let other = try await fixture.users.create(NewUser(email: EmailAddress("ADA@example.org"), name: ada.name))
            try await fixture.expectError(.uniqueViolation, .userEmail, "restoring") {
                try await fixture.users.restore(ada.id)
            }
            try expectEqual(try await fixture.users.user(id: ada.id), nil, "the deleted user")
            try expectEqual(try await fixture.users.user(email: ada.email), other, "the user with the address")
        },
        ConformanceCheck("Whoever never was cannot be restored") { fixture in
            try await fixture.expectError(.notFound, nil, "restoring") {
                try await fixture.users.restore(UserID())
            }
        },
    ]

    private static let lists: [ConformanceCheck<RepositoryFixture>] = [
        ConformanceCheck("Pages by key show everybody once, newest first, whoever signs up meanwhile") { fixture in
            let created = try await fixture.users.createMany((0..<7).map { try Sample.user("u\($0)") })
            try await fixture.users.softDelete(created[3].id, expecting: 1)
            let expected = created.filter { $0.id != created[3].id }.reversed().map(\.id)

            var seen: [UserID] = []
            var lengths: [Int] = []
            var request = try KeysetPageRequest(limit: 2)
            while true {
                let page = try await fixture.users.users(request)
                seen += page.items.map(\.id)
                lengths.append(page.items.count)
                try await fixture.signUp("late\(lengths.count)")
                guard let next = page.next, lengths.count < 10 else { break }
                request = try KeysetPageRequest(limit: 2, cursor: next)
            }
            try expectEqual(seen, expected, "the users on all pages")
            try expectEqual(lengths, [2, 2, 2], "the lengths of the pages")
        },
        ConformanceCheck("Pages by key lead back the way they came") { fixture in
            let expected = try await fixture.users.createMany((0..<5).map { try Sample.user("u\($0)") })
                .reversed().map(\.id)
            let first = try await fixture.users.users(KeysetPageRequest(limit: 2))
            try expect(first.previous == nil, "nothing comes before the first page")
            let second = try await fixture.users.users(
                KeysetPageRequest(limit: 2, cursor: unwrap(first.next, "the cursor of the second page")))
            let third = try await fixture.users.users(
                KeysetPageRequest(limit: 2, cursor: unwrap(second.next, "the cursor of the third page")))
            try expectEqual(third.items.map(\.id), Array(expected[4...]), "the third page")
            let back = try await fixture.users.users(
                KeysetPageRequest(limit: 2, cursor: unwrap(third.previous, "the cursor back to the second page")))
            try expectEqual(back.items, second.items, "the second page from behind")
            let start = try await fixture.users.users(
                KeysetPageRequest(limit: 2, cursor: unwrap(back.previous, "the cursor back to the first page")))
            try expectEqual(start.items, first.items, "the first page from behind")
            try expect(start.previous == nil, "nothing comes before the first page from behind")
        },
        ConformanceCheck("A cursor of another list is refused") { fixture in
            let cursor = try PageCursor(listing: "invoices", keys: [UserID()])
            try await fixture.expectError(.invalidArgument, nil, "listing from another list's cursor") {
                _ = try await fixture.users.users(KeysetPageRequest(limit: 2, cursor: cursor))
            }
        },
        ConformanceCheck("A page by key of nobody is empty and the last") { fixture in
            let page = try await fixture.users.users(KeysetPageRequest(limit: 5))
            try expectEqual(page.items, [], "the users")
            try expect(page.next == nil && page.previous == nil, "no page follows and none comes before")
        },
        ConformanceCheck("Pages by offset count everybody who exists, newest first") { fixture in
            let created = try await fixture.users.createMany((0..<5).map { try Sample.user("u\($0)") })
            try await fixture.users.softDelete(created[0].id, expecting: 1)
            let expected = created.dropFirst().reversed().map(\.id)

            let first = try await fixture.users.users(OffsetPageRequest(limit: 3))
            try expectEqual(first.items.map(\.id), Array(expected[..<3]), "the first page")
            try expectEqual(first.total, 4, "the total")
            let second = try await fixture.users.users(OffsetPageRequest(offset: 3, limit: 3))
            try expectEqual(second.items.map(\.id), Array(expected[3...]), "the second page")
            let beyond = try await fixture.users.users(OffsetPageRequest(offset: 1_000_000, limit: 3))
            try expectEqual(beyond.items, [], "a page beyond the end")
            try expectEqual(beyond.total, 4, "the total beyond the end")
        },
    ]
}
