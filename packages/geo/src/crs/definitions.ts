// Coordinate systems known by code. proj4 brings EPSG:4326, 4269, 3857 and UTM on WGS 84; the rest are from the EPSG
// dataset v11 and Esri's, as `gdalsrsinfo -o proj4` writes them, and crs.test.ts compares a control point of each with
// gdaltransform. Systems whose datum needs a shift grid (NAD 27) are left out rather than read tens of metres off.

/** The proj4 definition of a code such as `EPSG:5070`; undefined where none is registered here. */
export function definitionOf(name: string): string | undefined {
  return definitions.get(name)
}

/** Every registered code. */
export function knownNames(): Iterable<string> {
  return definitions.keys()
}

const grs80 = '+ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs'
const nad83 = '+datum=NAD83 +units=m +no_defs'
const wgs84 = '+datum=WGS84 +units=m +no_defs'

const definitions = new Map<string, string>([
  ['EPSG:4326', '+proj=longlat +datum=WGS84 +no_defs'],
  ['EPSG:4269', '+proj=longlat +datum=NAD83 +no_defs'],
  ['EPSG:4258', '+proj=longlat +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +no_defs'],
  [
    'EPSG:3857',
    '+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +no_defs',
  ],
  ['EPSG:3395', `+proj=merc +lon_0=0 +k=1 +x_0=0 +y_0=0 ${wgs84}`],
  // Equal-area, for counting ground: the continental US, Alaska, Hawaii, Canada, Europe, Australia, the world, the poles.
  ['EPSG:5070', `+proj=aea +lat_0=23 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +x_0=0 +y_0=0 ${nad83}`],
  ['EPSG:6350', `+proj=aea +lat_0=23 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +x_0=0 +y_0=0 ${grs80}`],
  ['ESRI:102003', `+proj=aea +lat_0=37.5 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +x_0=0 +y_0=0 ${nad83}`],
  ['EPSG:3338', `+proj=aea +lat_0=50 +lon_0=-154 +lat_1=55 +lat_2=65 +x_0=0 +y_0=0 ${nad83}`],
  ['ESRI:102007', `+proj=aea +lat_0=13 +lon_0=-157 +lat_1=8 +lat_2=18 +x_0=0 +y_0=0 ${nad83}`],
  ['ESRI:102008', `+proj=aea +lat_0=40 +lon_0=-96 +lat_1=20 +lat_2=60 +x_0=0 +y_0=0 ${nad83}`],
  ['EPSG:3310', `+proj=aea +lat_0=0 +lon_0=-120 +lat_1=34 +lat_2=40.5 +x_0=0 +y_0=-4000000 ${nad83}`],
  ['EPSG:3005', `+proj=aea +lat_0=45 +lon_0=-126 +lat_1=50 +lat_2=58.5 +x_0=1000000 +y_0=0 ${nad83}`],
  ['ESRI:102001', `+proj=aea +lat_0=40 +lon_0=-96 +lat_1=50 +lat_2=70 +x_0=0 +y_0=0 ${nad83}`],
  ['EPSG:3035', `+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 ${grs80}`],
  ['EPSG:3577', `+proj=aea +lat_0=0 +lon_0=132 +lat_1=-18 +lat_2=-36 +x_0=0 +y_0=0 ${grs80}`],
  ['EPSG:6933', `+proj=cea +lat_ts=30 +lon_0=0 +x_0=0 +y_0=0 ${wgs84}`],
  ['EPSG:6931', `+proj=laea +lat_0=90 +lon_0=0 +x_0=0 +y_0=0 ${wgs84}`],
  ['EPSG:6932', `+proj=laea +lat_0=-90 +lon_0=0 +x_0=0 +y_0=0 ${wgs84}`],
  ['ESRI:54009', `+proj=moll +lon_0=0 +x_0=0 +y_0=0 ${wgs84}`],
  ['ESRI:54034', `+proj=cea +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 ${wgs84}`],
  ['ESRI:102022', `+proj=aea +lat_0=0 +lon_0=25 +lat_1=20 +lat_2=-23 +x_0=0 +y_0=0 ${wgs84}`],
  ['ESRI:102025', `+proj=aea +lat_0=30 +lon_0=95 +lat_1=15 +lat_2=65 +x_0=0 +y_0=0 ${wgs84}`],
  ['ESRI:102028', `+proj=aea +lat_0=-15 +lon_0=125 +lat_1=7 +lat_2=-32 +x_0=0 +y_0=0 ${wgs84}`],
  [
    'ESRI:102033',
    '+proj=aea +lat_0=-32 +lon_0=-60 +lat_1=-5 +lat_2=-42 +x_0=0 +y_0=0 +ellps=aust_SA +towgs84=-57,1,-41,0,0,0,0 +units=m +no_defs',
  ],
  // Others often met: France, Canada, the poles.
  ['EPSG:2154', `+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 ${grs80}`],
  ['EPSG:3034', `+proj=lcc +lat_0=52 +lon_0=10 +lat_1=35 +lat_2=65 +x_0=4000000 +y_0=2800000 ${grs80}`],
  [
    'EPSG:3347',
    `+proj=lcc +lat_0=63.390675 +lon_0=-91.8666666666667 +lat_1=49 +lat_2=77 +x_0=6200000 +y_0=3000000 ${nad83}`,
  ],
  ['EPSG:3978', `+proj=lcc +lat_0=49 +lon_0=-95 +lat_1=49 +lat_2=77 +x_0=0 +y_0=0 ${nad83}`],
  ['EPSG:3413', `+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +x_0=0 +y_0=0 ${wgs84}`],
  ['EPSG:3031', `+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0 +x_0=0 +y_0=0 ${wgs84}`],
  ...utmZones(),
])

// UTM on WGS 84 (326xx north, 327xx south), NAD 83 (269xx) and ETRS 89 (258xx).
function utmZones(): [string, string][] {
  const zones: [string, string][] = []
  for (let zone = 1; zone <= 60; zone++) {
    zones.push([`EPSG:${32600 + zone}`, `+proj=utm +zone=${zone} ${wgs84}`])
    zones.push([`EPSG:${32700 + zone}`, `+proj=utm +zone=${zone} +south ${wgs84}`])
    if (zone <= 23) zones.push([`EPSG:${26900 + zone}`, `+proj=utm +zone=${zone} ${nad83}`])
    if (zone >= 28 && zone <= 38) zones.push([`EPSG:${25800 + zone}`, `+proj=utm +zone=${zone} ${grs80}`])
  }
  return zones
}
