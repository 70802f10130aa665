import { GeoError, type LayerDamagedError } from '@headrace/geo'
import { HttpProblem } from '@headrace/server'

/** Makes what the catalogue says no to an answer: 404 for a layer that is not there, 400 for an address that cannot be. */
export async function answeringGeoErrors<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read()
  } catch (error) {
    throw error instanceof GeoError ? toProblem(error) : error
  }
}

function toProblem(error: GeoError): HttpProblem {
  const say = (status: number, title: string, detail = error.message) =>
    new HttpProblem({ status, code: error.code, title, detail }, { cause: error })
  switch (error.code) {
    // What cannot name a layer names none.
    case 'layer_not_found':
    case 'layer_name_invalid':
      return say(404, 'No such layer')
    case 'tile_address_invalid':
      return say(400, 'No such map tile')
    case 'layer_damaged':
      return say(500, 'The layer cannot be read', damageOf(error as LayerDamagedError)) // sound: only that class has this code
    default:
      return say(500, 'The layer cannot be drawn')
  }
}

/** Without the cause, which may tell of paths on this machine; the server's log has it. */
function damageOf({ layerName }: LayerDamagedError): string {
  return `The layer ${layerName} cannot be read. Remove it and add it again: headrace layers add <file.tif> --name ${layerName} --replace`
}
