// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "marketplace",
    platforms: [.macOS(.v15)],
    dependencies: [
        // In a service of your own: .package(url: "…/swift-persistence", from: "0.1.0")
        .package(name: "swift-persistence", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.2.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.3"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        .executableTarget(
            name: "marketplace",
            dependencies: [
                .product(name: "Persistence", package: "swift-persistence"),
                .product(name: "PersistenceCore", package: "swift-persistence"),
                .product(name: "PersistenceMigrations", package: "swift-persistence"),
                .product(name: "MongoEngine", package: "swift-persistence"),
                .product(name: "PersistenceMongo", package: "swift-persistence"),
                .product(name: "PersistencePostgres", package: "swift-persistence"),
                .product(name: "PostgresEngine", package: "swift-persistence"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Marketplace"
        ),
        .testTarget(
            name: "MarketplaceTests",
            dependencies: [
                "marketplace",
                .product(name: "Persistence", package: "swift-persistence"),
                .product(name: "PersistenceCore", package: "swift-persistence"),
                .product(name: "PersistenceTesting", package: "swift-persistence"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
