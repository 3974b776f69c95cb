// The bytes of the Windows Energy Metering Interface, as the header emi.h of the Windows SDK lays
// them out (little-endian, no padding between channels; names are UTF-16 with a terminating zero).

/** Layout version 1: one channel a device. Version 2: several. */
export type EmiVersion = 1 | 2;

/** One channel's counter. */
export interface EmiMeasurement {
  /** Joules since an arbitrary zero. */
  readonly energy: number;
  /** 100 ns units since an arbitrary zero, by the device's clock. */
  readonly time: bigint;
}

/** Exact: 1 pWh = 1e-12 W x 3600 s. */
const JOULES_PER_PICOWATT_HOUR = 3.6e-9;

/** EMI_NAME_MAX of 16 UTF-16 units. */
const NAME_BYTES = 32;

/** EMI_MEASUREMENT_UNIT: picowatt-hours is the only unit defined. */
const UNIT_PICOWATT_HOURS = 0;

/** Names of the channels, in the order of their measurements. Throws when the bytes do not fit. */
export function parseEmiChannels(version: EmiVersion, metadata: Uint8Array): readonly string[] {
  const view = viewOf(metadata);
  try {
    switch (version) {
      case 1: {
        // Unit, OEM, model, revision, size of the name, name.
        checkUnit(view.getInt32(0, true));
        const size = view.getUint16(4 + 2 * NAME_BYTES + 2, true);
        return [nameAt(metadata, 4 + 2 * NAME_BYTES + 4, size)];
      }
      case 2: {
        // OEM, model, revision, number of channels; then unit, size of the name, name of each.
        const count = view.getUint16(2 * NAME_BYTES + 2, true);
        const names: string[] = [];
        let offset = 2 * NAME_BYTES + 4;
        for (let channel = 0; channel < count; channel += 1) {
          checkUnit(view.getInt32(offset, true));
          const size = view.getUint16(offset + 4, true);
          names.push(nameAt(metadata, offset + 6, size));
          offset += 6 + size;
        }
        return names;
      }
      default:
        return version satisfies never;
    }
  } catch (error) {
    if (error instanceof RangeError) throw new Error("EMI metadata ends early", { cause: error });
    throw error;
  }
}

/** The counters of a device: pairs of picowatt-hours and 100 ns, 16 bytes a channel. */
export function parseEmiMeasurements(bytes: Uint8Array, channels: number): EmiMeasurement[] {
  if (bytes.length < 16 * channels) throw new Error("EMI measurement ends early");
  const view = viewOf(bytes);
  return Array.from({ length: channels }, (_, channel) => ({
    energy: Number(view.getBigUint64(16 * channel, true)) * JOULES_PER_PICOWATT_HOUR,
    time: view.getBigUint64(16 * channel + 8, true),
  }));
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function nameAt(bytes: Uint8Array, offset: number, size: number): string {
  if (offset + size > bytes.length) throw new RangeError("name beyond the end");
  const text = new TextDecoder("utf-16le").decode(bytes.subarray(offset, offset + size));
  // Some drivers pad names with spaces behind the terminating zero or before it.
  return (text.split("\0")[0] ?? "").trim();
}

function checkUnit(unit: number): void {
  if (unit !== UNIT_PICOWATT_HOURS) throw new Error(`EMI unit ${unit} is not known`);
}
