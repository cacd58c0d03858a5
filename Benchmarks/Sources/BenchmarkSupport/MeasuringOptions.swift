package import ArgumentParser

/// The options that every comparison takes: how much is measured, and where it is written.
package struct MeasuringOptions: ParsableArguments {
    @Flag(help: "A run of some minutes: 5 rounds of 0.4 s, other clients in every other.")
    package var short = false

    @Option(help: "Rounds; in each, every contender runs every workload once.")
    package var rounds: Int?

    @Option(help: "Seconds that one contender runs one workload.")
    package var seconds: Double?

    @Option(help: "Write what was measured on to this file.")
    package var machine: String?

    @Option(help: "Write the figures to this file, as a list of name, value, unit, target and met.")
    package var json: String?

    package init() {}

    package func validate() throws {
        guard (1...1000).contains(plan.rounds) else { throw ValidationError("--rounds takes 1 to 1000") }
        guard plan.seconds > 0, plan.seconds <= 600 else {
            throw ValidationError("--seconds takes more than 0 up to 600")
        }
    }

    package var plan: Plan {
        var plan = short ? Plan.short : Plan.full
        if let rounds { plan.rounds = rounds }
        if let seconds { plan.seconds = seconds }
        return plan
    }
}
