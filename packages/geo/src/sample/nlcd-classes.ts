import type { LayerClass } from '../catalogue/layer.ts'

/**
 * The 16 classes of the National Land Cover Database that occur in the continental US, with the colours of its official legend
 * (USGS and MRLC, "National Land Cover Database Class Legend and Description",
 * https://www.mrlc.gov/data/legends/national-land-cover-database-class-legend-and-description).
 */
export const nlcdClasses: readonly LayerClass[] = [
  { value: 11, name: 'Open Water', color: '#466b9f' },
  { value: 12, name: 'Perennial Ice/Snow', color: '#d1def8' },
  { value: 21, name: 'Developed, Open Space', color: '#dec5c5' },
  { value: 22, name: 'Developed, Low Intensity', color: '#d99282' },
  { value: 23, name: 'Developed, Medium Intensity', color: '#eb0000' },
  { value: 24, name: 'Developed, High Intensity', color: '#ab0000' },
  { value: 31, name: 'Barren Land (Rock/Sand/Clay)', color: '#b3ac9f' },
  { value: 41, name: 'Deciduous Forest', color: '#68ab5f' },
  { value: 42, name: 'Evergreen Forest', color: '#1c5f2c' },
  { value: 43, name: 'Mixed Forest', color: '#b5c58f' },
  { value: 52, name: 'Shrub/Scrub', color: '#ccb879' },
  { value: 71, name: 'Grassland/Herbaceous', color: '#dfdfc2' },
  { value: 81, name: 'Pasture/Hay', color: '#dcd939' },
  { value: 82, name: 'Cultivated Crops', color: '#ab6c28' },
  { value: 90, name: 'Woody Wetlands', color: '#b8d9eb' },
  { value: 95, name: 'Emergent Herbaceous Wetlands', color: '#6c9fb8' },
]

/**
 * The hydrologic soil groups as Model My Watershed numbers them: A to D by runoff potential, and the dual groups, which are D where
 * not drained (NRCS, National Engineering Handbook, part 630, chapter 7). The colours are ours.
 */
export const soilGroupClasses: readonly LayerClass[] = [
  { value: 1, name: 'A - High Infiltration', color: '#ffffd4' },
  { value: 2, name: 'B - Moderate Infiltration', color: '#fed98e' },
  { value: 3, name: 'C - Slow Infiltration', color: '#fe9929' },
  { value: 4, name: 'D - Very Slow Infiltration', color: '#cc4c02' },
  { value: 5, name: 'A/D - High/Very Slow Infiltration', color: '#c7e9c0' },
  { value: 6, name: 'B/D - Medium/Very Slow Infiltration', color: '#74c476' },
  { value: 7, name: 'C/D - Medium/Very Slow Infiltration', color: '#238b45' },
]
