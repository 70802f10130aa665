import { suite } from 'node:test'
import { testArtifactNames } from './conformance/artifact-names.ts'
import { testCache } from './conformance/cache.ts'
import { testCancel } from './conformance/cancel.ts'
import { testClaim } from './conformance/claim.ts'
import { testCommitRepeats } from './conformance/commit-repeats.ts'
import { testDeadlines } from './conformance/deadlines.ts'
import { testEnqueue } from './conformance/enqueue.ts'
import { testEvents } from './conformance/events.ts'
import { testGroups } from './conformance/groups.ts'
import { testLastWord } from './conformance/last-word.ts'
import { testParking } from './conformance/parking.ts'
import { testQueries } from './conformance/queries.ts'
import { testRetention } from './conformance/retention.ts'
import { testRetries } from './conformance/retries.ts'
import type { OpenStore } from './conformance/rig.ts'
import { testRoutingDeployments } from './conformance/routing-deployments.ts'
import { testRoutingLanes } from './conformance/routing-lanes.ts'
import { testRoutingLimits } from './conformance/routing-limits.ts'
import { testRoutingQueues } from './conformance/routing-queues.ts'
import { testRoutingResources } from './conformance/routing-resources.ts'
import { testRoutingSessions } from './conformance/routing-sessions.ts'
import { testSchedules } from './conformance/schedules.ts'
import { testSettings } from './conformance/settings.ts'
import { testSettle } from './conformance/settle.ts'
import { testSignals } from './conformance/signals.ts'
import { testSteps } from './conformance/steps.ts'
import { type CallersConnection, testTransactions } from './conformance/transactions.ts'
import { testWatch } from './conformance/watch.ts'
import { testWorkers } from './conformance/workers.ts'

export { testCanvases } from '../testing/canvases.ts'
export { type CrashPlace, testCrashes } from '../testing/crashes.ts'
export { type HardshipPlace, type MakePlace, testHardships } from '../testing/hardships.ts'
export { testSessions } from '../testing/sessions.ts'
export type { OpenStore } from './conformance/rig.ts'
export type { CallersConnection, CallersTransaction } from './conformance/transactions.ts'

/**
 * What every store must do, whatever it is made of. Call it from the store's own test file.
 * @param open gives an open store on this clock; stores that are opened with the same `place` share their jobs
 * @param connections the ways in which a caller may have a transaction of its own, beside the store
 */
export function testStore(name: string, open: OpenStore, connections: readonly CallersConnection[] = []): void {
  suite(name, () => {
    testEnqueue(open)
    testClaim(open)
    testSettle(open)
    testSteps(open)
    testSignals(open)
    testParking(open)
    testLastWord(open)
    testGroups(open)
    testRetries(open)
    testRetention(open)
    testArtifactNames(open)
    testCancel(open)
    testDeadlines(open)
    testWorkers(open)
    testCommitRepeats(open)
    testEvents(open)
    testQueries(open)
    testSettings(open)
    testWatch(open)
    for (const connection of connections) testTransactions(open, connection)
  })
}

/** Who may have a job when: one suite for each subject. A store without them stores such jobs as plain ones. */
const routing = {
  lanes: testRoutingLanes,
  limits: testRoutingLimits,
  queues: testRoutingQueues,
  deployments: testRoutingDeployments,
  resources: testRoutingResources,
  sessions: testRoutingSessions,
}

/** What a store must do that routes jobs; @param subjects the ones that it is held to, all by default */
export function testRouting(
  name: string,
  open: OpenStore,
  subjects = Object.keys(routing) as readonly (keyof typeof routing)[],
): void {
  suite(`routing in ${name}`, () => {
    for (const subject of subjects) routing[subject](open)
  })
}

const reuse = { cache: testCache, schedules: testSchedules }

/** What a store must do of results that are used again; @param subjects the ones that it is held to, all by default */
export function testReuse(
  name: string,
  open: OpenStore,
  subjects = Object.keys(reuse) as readonly (keyof typeof reuse)[],
): void {
  suite(`reuse in ${name}`, () => {
    for (const subject of subjects) reuse[subject](open)
  })
}
