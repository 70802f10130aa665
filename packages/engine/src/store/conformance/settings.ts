import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { DRAIN_REQUESTS } from '../store.ts'
import { type OpenStore, Rig } from './rig.ts'

export function testSettings(open: OpenStore): void {
  suite('settings', () => {
    test('a setting is read as it was put, and overwritten by the next one', async () => {
      await using rig = await Rig.open(open)
      const { settings } = rig.store
      await settings.put('keys', 'a', { scopes: ['read'], since: 1, gone: null })
      assert.deepEqual(await settings.get('keys', 'a'), { scopes: ['read'], since: 1, gone: null })
      await settings.put('keys', 'a', 'new')
      assert.equal(await settings.get('keys', 'a'), 'new')
    })

    test('namespaces are apart, and are listed by key', async () => {
      await using rig = await Rig.open(open)
      const { settings } = rig.store
      for (const key of ['b', 'a']) await settings.put('keys', key, key)
      await settings.put('other', 'a', 1)
      const list = (await settings.list('keys')).map(({ key, value }) => [key, value])
      assert.deepEqual(list, [
        ['a', 'a'],
        ['b', 'b'],
      ])
      assert.deepEqual(await settings.list('none'), [])
    })

    test('those whose key begins with something are listed alone', async () => {
      await using rig = await Rig.open(open)
      const { settings } = rig.store
      for (const key of ['ab', 'a b', 'a', 'a c', 'b']) await settings.put('keys', key, 1)
      const keys = async (prefix: string) => (await settings.list('keys', { prefix })).map(({ key }) => key)
      assert.deepEqual(await keys('a '), ['a b', 'a c'])
      assert.deepEqual(await keys('a'), ['a', 'a b', 'a c', 'ab'])
      assert.deepEqual(await keys('c'), [])
    })

    test('a deleted setting is gone, and deleting it again says that it was', async () => {
      await using rig = await Rig.open(open)
      const { settings } = rig.store
      await settings.put('keys', 'a', null)
      assert.equal(await settings.get('keys', 'a'), null)
      assert.equal(await settings.delete('keys', 'a'), true)
      assert.equal(await settings.delete('keys', 'a'), false)
      assert.equal(await settings.get('keys', 'a'), undefined)
    })

    test('a sweep names the workers that are asked to stop', async () => {
      await using rig = await Rig.open(open)
      const { settings } = rig.store
      assert.equal((await rig.store.sweep()).draining, undefined)
      for (const worker of ['bob', 'ada']) await settings.put(DRAIN_REQUESTS, worker, { graceMs: 1_000 })
      assert.deepEqual([...((await rig.store.sweep()).draining ?? [])].sort(), ['ada', 'bob'])
      await settings.delete(DRAIN_REQUESTS, 'ada')
      assert.deepEqual((await rig.store.sweep()).draining, ['bob'])
    })

    test('settings are shared by all processes', async () => {
      await using rig = await Rig.open(open)
      await using other = await rig.neighbour()
      await rig.store.settings.put('keys', 'a', 1)
      assert.equal(await other.store.settings.get('keys', 'a'), 1)
    })
  })
}
