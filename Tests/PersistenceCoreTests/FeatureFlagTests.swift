import Testing

@Suite("Feature flags")
struct FeatureFlagTests {
    @Test("every upcoming feature of the manifest is spelt as the compiler knows it")
    func features() {
        var missing: [String] = []
        #if !hasFeature(ExistentialAny)
            missing.append("ExistentialAny")
        #endif
        #if !hasFeature(InferIsolatedConformances)
            missing.append("InferIsolatedConformances")
        #endif
        #if !hasFeature(InternalImportsByDefault)
            missing.append("InternalImportsByDefault")
        #endif
        #if !hasFeature(MemberImportVisibility)
            missing.append("MemberImportVisibility")
        #endif
        #if !hasFeature(NonisolatedNonsendingByDefault)
            missing.append("NonisolatedNonsendingByDefault")
        #endif
        #expect(missing.isEmpty)
    }
}
