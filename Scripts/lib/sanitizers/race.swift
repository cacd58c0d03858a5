// usage: race guarded | race unguarded
//
// Two threads that count, with a contended lock or without: the thread sanitizer must be silent, or must not be.

import Foundation
import Synchronization

final class Counter: @unchecked Sendable {
    // Guarded by the lock, or not, which is the point.
    var value = 0
    let lock = Mutex(())
}

let isGuarded = CommandLine.arguments.contains("guarded")
let counter = Counter()
let turns = 20_000
let thread = Thread { count() }

@Sendable func count() {
    for _ in 0..<turns {
        if isGuarded {
            counter.lock.withLock { _ in counter.value += 1 }
        } else {
            counter.value += 1
        }
    }
}

thread.start()
count()
while !thread.isFinished { Thread.sleep(forTimeInterval: 0.001) }
