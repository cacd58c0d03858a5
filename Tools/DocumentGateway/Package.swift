// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that users of the library never build it.
let package = Package(
    name: "document-gateway",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "document-gateway", targets: ["DocumentGatewayCommand"])
    ],
    dependencies: [
        .package(name: "swift-persistence", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.30.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.3"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        .target(
            name: "DocumentGateway",
            dependencies: [
                .product(name: "BSON", package: "swift-persistence"),
                .product(name: "PersistenceCore", package: "swift-persistence"),
                .product(name: "PostgresEngine", package: "swift-persistence"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .executableTarget(
            name: "DocumentGatewayCommand",
            dependencies: [
                "DocumentGateway",
                .product(name: "PersistenceCore", package: "swift-persistence"),
                .product(name: "PostgresEngine", package: "swift-persistence"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        .testTarget(
            name: "DocumentGatewayTests",
            dependencies: [
                "DocumentGateway",
                .product(name: "BSON", package: "swift-persistence"),
                .product(name: "PersistenceCore", package: "swift-persistence"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

let upcomingFeatures = [
    "ExistentialAny",
    "InferIsolatedConformances",
    "InternalImportsByDefault",
    "MemberImportVisibility",
    "NonisolatedNonsendingByDefault",
]
for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + upcomingFeatures.map { .enableUpcomingFeature($0) }
    // As in the main package: our own warnings are errors in Scripts/test, not in a user's build.
    if Context.environment["PERSISTENCE_STRICT"] != nil {
        target.swiftSettings?.append(.treatAllWarnings(as: .error))
    }
}
