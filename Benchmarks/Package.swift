// swift-tools-version: 6.2
import PackageDescription

let upcoming: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// A package of its own, so that users of the library never build it.
let package = Package(
    name: "persistence-benchmarks",
    platforms: [.macOS(.v15)],
    products: [
        // Preloaded into a run that counts allocations.
        .library(name: "AllocationCounter", type: .dynamic, targets: ["CAllocationCounter"])
    ],
    dependencies: [
        .package(name: "swift-persistence", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.7.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        // Optimised as a C programmer would ship it, whatever the configuration.
        .target(
            name: "CBaseline", dependencies: ["CMeasuring", "CPQ"],
            cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])]),
        .target(name: "CMeasuring", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])]),
        .systemLibrary(
            name: "CMongo",
            pkgConfig: "libmongoc-1.0",
            providers: [.apt(["libmongoc-dev"]), .brew(["mongo-c-driver"])]
        ),
        .target(
            name: "CDocumentBaseline", dependencies: ["CMeasuring", "CMongo"],
            cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])]),
        .target(name: "CAllocationCounter", cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])]),
        // What every comparison has: rounds, ratios, the table, the files.
        .target(
            name: "BenchmarkSupport",
            dependencies: ["CMeasuring", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: upcoming
        ),
        .executableTarget(
            name: "PersistenceBenchmarks",
            dependencies: [
                "BenchmarkSupport",
                "CBaseline",
                "CMeasuring",
                .product(name: "PersistenceCore", package: "swift-persistence"),
                .product(name: "PostgresEngine", package: "swift-persistence"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: upcoming
        ),
        .executableTarget(
            name: "DocumentBenchmarks",
            dependencies: [
                "BenchmarkSupport",
                "CDocumentBaseline",
                "CMeasuring",
                .product(name: "BSON", package: "swift-persistence"),
                .product(name: "MongoEngine", package: "swift-persistence"),
                .product(name: "PersistenceCore", package: "swift-persistence"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: upcoming
        ),
        .executableTarget(
            name: "PersistenceSoak",
            dependencies: [
                .product(name: "PersistenceCore", package: "swift-persistence"),
                .product(name: "PersistenceTesting", package: "swift-persistence"),
                .product(name: "PostgresEngine", package: "swift-persistence"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: upcoming
        ),
    ],
    swiftLanguageModes: [.v6]
)
