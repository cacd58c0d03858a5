// swift-tools-version: 6.2
import PackageDescription

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")

let package = Package(
    name: "swift-persistence",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "PersistenceCore", targets: ["PersistenceCore"]),
        .library(name: "BSON", targets: ["BSON"]),
        .library(name: "Persistence", targets: ["Persistence"]),
        .library(name: "PostgresEngine", targets: ["PostgresEngine"]),
        .library(name: "MongoEngine", targets: ["MongoEngine"]),
        .library(name: "PersistencePostgres", targets: ["PersistencePostgres"]),
        .library(name: "PersistenceMongo", targets: ["PersistenceMongo"]),
        .library(name: "PersistenceMigrations", targets: ["PersistenceMigrations"]),
        .library(name: "PersistenceTesting", targets: ["PersistenceTesting"]),
        .executable(name: "persistence", targets: ["PersistenceCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.6.3"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.7.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0", traits: []),
    ],
    targets: [
        .systemLibrary(
            name: "CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        .systemLibrary(name: "CEventLoop"),
        .systemLibrary(
            name: "CBSON",
            pkgConfig: "libbson-1.0",
            providers: [.apt(["libbson-dev"]), .brew(["mongo-c-driver"])]
        ),
        .systemLibrary(
            name: "CMongoC",
            pkgConfig: "libmongoc-1.0",
            providers: [.apt(["libmongoc-dev"]), .brew(["mongo-c-driver"])]
        ),
        .target(
            name: "PersistenceCore",
            dependencies: [logging, metrics, tracing, lifecycle, configuration]
        ),
        .target(name: "BSON", dependencies: ["CBSON", "PersistenceCore"]),
        .target(name: "Persistence", dependencies: ["PersistenceCore", collections, lifecycle]),
        .target(
            name: "PostgresEngine",
            dependencies: [
                "CEventLoop", "CLibPQ", "PersistenceCore", collections, heap, configuration, lifecycle, logging,
                metrics,
                tracing,
            ]
        ),
        .target(
            name: "MongoEngine",
            dependencies: [
                "BSON", "CEventLoop", "CMongoC", "PersistenceCore", collections, configuration, lifecycle, logging,
                metrics,
                tracing,
            ]
        ),
        .target(
            name: "PersistencePostgres",
            dependencies: ["Persistence", "PersistenceCore", "PostgresEngine"]
        ),
        .target(
            name: "PersistenceMongo",
            dependencies: ["BSON", "MongoEngine", "Persistence", "PersistenceCore"]
        ),
        .target(
            name: "PersistenceMigrations",
            dependencies: ["PersistenceCore", "PostgresEngine", logging]
        ),
        .executableTarget(
            name: "PersistenceCommand",
            dependencies: [
                "PersistenceCore", "PersistenceMigrations", "PostgresEngine", configuration, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]
        ),
        .target(
            name: "PersistenceTesting",
            dependencies: [
                "Persistence", "PersistenceCore",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .testTarget(name: "PersistenceTestingTests", dependencies: ["PersistenceTesting", "PersistenceCore"]),
        .testTarget(
            name: "PersistenceCoreTests",
            dependencies: [
                "PersistenceCore", "PersistenceTesting", configuration, lifecycle, logging, metrics, tracing,
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(name: "BSONTests", dependencies: ["BSON", "CBSON", "PersistenceCore"]),
        .testTarget(
            name: "PersistenceTests",
            dependencies: [
                "Persistence", "PersistenceCore", "PersistenceTesting", lifecycle,
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ]
        ),
        .testTarget(
            name: "PostgresEngineTests",
            dependencies: [
                "PostgresEngine", "PersistenceCore", "PersistenceTesting", configuration, metrics,
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]
        ),
        .testTarget(
            name: "PostgresEngineIntegrationTests",
            dependencies: [
                "PostgresEngine", "PersistenceCore", "PersistenceTesting", configuration, lifecycle, logging, metrics,
                tracing,
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]
        ),
        .testTarget(
            name: "MongoEngineTests",
            dependencies: [
                "BSON", "MongoEngine", "PersistenceCore", configuration, lifecycle, logging, metrics, tracing,
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]
        ),
        .testTarget(
            name: "MongoEngineIntegrationTests",
            dependencies: ["BSON", "MongoEngine", "PersistenceCore", "PersistenceTesting", configuration]
        ),
        .testTarget(
            name: "PersistencePostgresTests",
            dependencies: [
                "PersistencePostgres", "Persistence", "PersistenceCore", "PersistenceMigrations", "PersistenceTesting",
                "PostgresEngine", configuration,
            ]
        ),
        .testTarget(
            name: "PersistenceMongoTests",
            dependencies: [
                "PersistenceMongo", "BSON", "JobWriter", "MongoEngine", "Persistence", "PersistenceCore",
                "PersistenceTesting",
            ]
        ),
        // What the tests run as processes of their own.
        .executableTarget(
            name: "JobWriter",
            dependencies: ["MongoEngine", "Persistence", "PersistenceCore", "PersistenceMongo"],
            path: "Tests/Programs/JobWriter"
        ),
        .testTarget(
            name: "PersistenceMigrationsTests",
            dependencies: [
                "PersistenceMigrations", "PersistenceCommand", "PersistenceCore", "PersistenceTesting",
                "PostgresEngine", configuration, logging, tracing,
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
            ]
        ),
        // The bodies of the fuzzers in Fuzzing/, which is a package of its own, over their corpora.
        .testTarget(
            name: "FuzzReplayTests",
            dependencies: ["BSON", "PersistenceCore", "PersistenceMigrations", "PostgresEngine", configuration],
            path: "Fuzzing/Sources", exclude: ["CLibFuzzer", "Fuzzer"], sources: ["Replay", "FuzzBodies"]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// One list for every target, so that none can fall behind. A misspelt name is ignored in silence by the compiler;
// FeatureFlagTests asserts each.
let upcomingFeatures = [
    "ExistentialAny",
    "InferIsolatedConformances",
    "InternalImportsByDefault",
    "MemberImportVisibility",
    "NonisolatedNonsendingByDefault",
]
for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + upcomingFeatures.map { .enableUpcomingFeature($0) }
    // Scripts/test treats our own warnings as errors; a user's build with a newer compiler must not break on them.
    if Context.environment["PERSISTENCE_STRICT"] != nil {
        target.swiftSettings?.append(.treatAllWarnings(as: .error))
    }
}

// Scripts/check-docs compiles the code blocks of the documents as targets of their own, as a user's code would be: with
// none of the settings above but the one that README.md asks for.
if let documents = Context.environment["PERSISTENCE_SNIPPETS"]?.split(separator: ",").map(String.init) {
    let libraries = package.targets.filter { $0.type == .regular }.map { Target.Dependency.target(name: $0.name) }
    let others = [logging, metrics, tracing, lifecycle, configuration]
    package.targets += documents.map {
        .target(
            name: $0, dependencies: libraries + others, path: ".build/snippets/\($0)",
            swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")])
    }
    package.products.append(.library(name: "DocumentationSnippets", type: .static, targets: documents))
}
