import { expect, test } from "vitest";
import { loadMoreZones } from "./more-zones.ts";
import { lookUpPlace } from "./places.ts";

const zone = (value: unknown, zoneName = "Québec") => ({
  zone: { zoneName },
  carbonIntensity: { value, unit: "gCO2eq/kWh" },
});

test("without the package there are no more zones, and no error", async () => {
  expect(await loadMoreZones(() => Promise.reject(new Error("Cannot find package")))).toBeNull();
});

test("the package's years become places with the newest year to hand", async () => {
  // Electricity Maps by @tgwf/co2 0.19: CA-QC 41 g/kWh in 2025.
  const zones = await loadMoreZones(async () => ({
    default: { yearly2025: {} },
    yearly2025: { data: { "CA-QC": zone(41), "XX-BAD": zone("41"), "XX-KG": zone(-1) } },
    yearly2024: { data: { "CA-QC": zone(35) } },
  }));
  expect(zones?.map(({ id }) => id)).toEqual(["CA-QC"]);
  expect(lookUpPlace(zones ?? [], "ca-qc")).toMatchObject({ intensity: 41, year: 2025 });
  expect(lookUpPlace(zones ?? [], "CA-QC@2024")).toMatchObject({ intensity: 35, year: 2024 });
});
