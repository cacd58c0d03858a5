// usage: Fuzzer TARGET [option of libFuzzer | corpus folder | file]…
//        Fuzzer --list            the names of the targets
//        Fuzzer --seeds FOLDER    writes a first corpus for each target that reads values

import CLibFuzzer
import Foundation
import FuzzBodies

@Sendable func say(_ message: String) {
    FileHandle.standardError.write(Data((message + "\n").utf8))
}

func fail(_ message: String) -> Never {
    say(message)
    exit(2)
}

let first = CommandLine.arguments.dropFirst().first
if first == "--list" {
    for target in FuzzTarget.allCases { print(target.rawValue) }
    exit(0)
}
if first == "--seeds", let folder = CommandLine.arguments.dropFirst(2).first {
    do {
        try FuzzSeeds.write(to: folder)
        exit(0)
    } catch {
        fail("\(error)")
    }
}
guard let target = first.flatMap(FuzzTarget.init) else {
    fail("usage: Fuzzer TARGET [option of libFuzzer | corpus folder | file]…; --list prints the names of the targets")
}

/// What libFuzzer calls, which can capture nothing.
enum Chosen {
    // Set once, before libFuzzer starts.
    nonisolated(unsafe) static var target = FuzzTarget.values
}
Chosen.target = target

// libFuzzer takes the target's name for a corpus folder, unless it is taken out.
var count = CommandLine.argc - 1
let arguments = CommandLine.unsafeArgv
arguments[1] = arguments[0]
var shifted: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments + 1
let result = LLVMFuzzerRunDriver(&count, &shifted) { data, size in
    do {
        try Chosen.target.run(UnsafeRawBufferPointer(start: data, count: size))
    } catch {
        // A property that does not hold ends the process as a crash does, so that libFuzzer keeps the input.
        say("FINDING: \(error)")
        abort()
    }
    return 0
}
exit(result)
