// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that neither users of the library nor the benchmarks of PostgreSQL build it.
let package = Package(
    name: "document-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-persistence", path: "../..")
    ],
    targets: [
        .systemLibrary(
            name: "CLibBSON",
            pkgConfig: "libbson-1.0",
            providers: [.apt(["libbson-dev"]), .brew(["mongo-c-driver"])]
        ),
        // Optimised as a C programmer would ship it, whatever the configuration.
        .target(
            name: "CDocumentLoops", dependencies: ["CLibBSON"], cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra"])]),
        .executableTarget(
            name: "DocumentBenchmarks",
            dependencies: ["CDocumentLoops", .product(name: "BSON", package: "swift-persistence")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
