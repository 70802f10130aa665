import { type Area, GeoError, type Layer, requireAreaOnLayers } from '@headrace/geo'
import type { z } from 'zod'
import { WatershedError } from '../errors.ts'

/** Refuses, before a job is stored, an analysis for which there is no layer, and an area that lies on none. */
export async function checkLayers(
  { area, layer }: { readonly area: Area; readonly layer?: string | undefined },
  choose: () => Promise<Layer>,
  context: z.core.$RefinementCtx,
): Promise<void> {
  const chosen = await refusing(choose, context, layer === undefined ? [] : ['layer'])
  if (chosen) await refusing(async () => requireAreaOnLayers(area, [chosen]), context, ['area'])
}

/** Makes what the catalogue and the area say no to an issue of the input. */
async function refusing<Value>(
  check: () => Promise<Value>,
  context: z.core.$RefinementCtx,
  path: string[],
): Promise<Value | undefined> {
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof GeoError || error instanceof WatershedError)) throw error
    context.addIssue({ code: 'custom', path, message: error.message })
    return undefined
  }
}
