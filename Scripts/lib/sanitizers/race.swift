// usage: race guarded | race resumed | race unguarded
//
// Two threads that count, with a contended lock, handing the counter over with continuations, or without either: the
// thread sanitizer must be silent about the first two, and must not be about the third.

import Foundation
import Synchronization

final class Counter: @unchecked Sendable {
    // Guarded by the lock, or not, which is the point.
    var value = 0
    let lock = Mutex(())
    let waiting = Mutex<[UnsafeContinuation<Counter, Never>]>([])
}

let turns = 20_000

func count(_ counter: Counter, isGuarded: Bool) {
    for _ in 0..<turns {
        if isGuarded {
            counter.lock.withLock { _ in counter.value += 1 }
        } else {
            counter.value += 1
        }
    }
}

/// Resumes as many continuations as there are turns, most of them before their task waits.
func resume(_ counter: Counter) {
    var turn = 0
    while turn < turns {
        guard let continuation = counter.waiting.withLock({ $0.popLast() }) else { continue }
        turn += 1
        let made = Counter()
        made.value = turn
        continuation.resume(returning: made)
    }
}

let counter = Counter()
let mode = CommandLine.arguments.last
if mode == "resumed" {
    Thread.detachNewThread { resume(counter) }
    for _ in 0..<turns {
        let made = await withUnsafeContinuation { continuation in
            counter.waiting.withLock { $0.append(continuation) }
        }
        made.value += 1
    }
} else {
    let isGuarded = mode == "guarded"
    let thread = Thread { count(counter, isGuarded: isGuarded) }
    thread.start()
    count(counter, isGuarded: isGuarded)
    while !thread.isFinished { usleep(1_000) }
}
