// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that neither users of the library nor `swift test` build it: Scripts/fuzz does. The bodies are
// also part of the library's own test target FuzzReplayTests, which needs no fuzzer.
let upcomingFeatures: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
let package = Package(
    name: "persistence-fuzzing",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-persistence", path: ".."),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibFuzzer"),
        .target(
            name: "FuzzBodies",
            dependencies: [
                .product(name: "BSON", package: "swift-persistence"),
                .product(name: "PersistenceCore", package: "swift-persistence"),
                .product(name: "PersistenceMigrations", package: "swift-persistence"),
                .product(name: "PostgresEngine", package: "swift-persistence"),
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: upcomingFeatures
        ),
        .executableTarget(
            name: "Fuzzer", dependencies: ["CLibFuzzer", "FuzzBodies"], swiftSettings: upcomingFeatures),
    ],
    swiftLanguageModes: [.v6]
)
