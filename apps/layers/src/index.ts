/** The layer catalogue over HTTP: what is loaded, its legend and its map tiles. */
export { layersApp } from './layers-app.ts'
