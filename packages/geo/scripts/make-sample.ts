// Makes the synthetic sample layers in a folder: node bin/node.cjs packages/geo/scripts/make-sample.ts <folder>
import { makeSampleLayers } from '../src/index.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('Say where: node bin/node.cjs packages/geo/scripts/make-sample.ts <folder>')
  process.exit(2)
}
const sample = await makeSampleLayers(folder)
console.log('Synthetic sample (nothing in it is real):')
for (const layer of sample.layers) console.log(`  ${layer.name}: ${layer.path}`)
console.log(`  area: ${sample.areaPath}, ${sample.area.properties.cells} cells of 900 m²`)
