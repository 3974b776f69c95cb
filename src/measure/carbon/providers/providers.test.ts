// Each provider against a local server that answers as its documentation shows, and as it must not.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHost, type FakeMachine } from "../../../../test/fake-host.ts";
import { inTurn, startServer } from "../../../../test/http-server.ts";
import { createNodeHost } from "../../../core/host/node-host.ts";
import { loadFactors } from "../mix.ts";
import { createClient } from "./client.ts";
import { electricityMaps } from "./electricity-maps.ts";
import { entsoe } from "./entsoe.ts";
import { readGeneration } from "./entsoe-generation.ts";
import { fileOrUrl } from "./file-or-url.ts";
import { ukCarbonIntensity } from "./uk-carbon-intensity.ts";
import { wattTime } from "./watttime.ts";
import { parseXml } from "./xml.ts";

const NEW_YEAR = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const clientOf = () =>
  createClient({
    host: { fetch: createNodeHost().fetch, wall: () => NEW_YEAR, sleep: async () => undefined },
    attempts: 1,
  });
const hostWith = (env: Record<string, string>, machine: FakeMachine = {}) =>
  createFakeHost({ env, ...machine });

describe("Electricity Maps", () => {
  const env = { ELECTRICITY_MAPS_TOKEN: "em-token" };
  const hour = (start: string, carbonIntensity: number | null, more = {}) => ({
    zone: "DE",
    carbonIntensity,
    datetime: start,
    updatedAt: start,
    emissionFactorType: "lifecycle",
    isEstimated: false,
    ...more,
  });
  const ask = async (body: unknown, query = {}) => {
    const server = await startServer(
      inTurn({ body: typeof body === "string" ? body : JSON.stringify(body) }),
    );
    const provider = electricityMaps(hostWith(env), { client: clientOf(), baseUrl: server.url });
    const answer = await provider.fetch({ zone: "DE", want: "latest", ...query });
    return { answer, request: server.requests[0] };
  };

  test("the latest hour, life-cycle and average, asked with the credential in a header", async () => {
    const { answer, request } = await ask(hour("2026-01-01T00:00:00.000Z", 302));
    expect(request?.url).toBe("/v3/carbon-intensity/latest?zone=DE&emissionFactorType=lifecycle");
    expect(request?.headers["auth-token"]).toBe("em-token");
    expect(answer.series).toMatchObject({
      kind: "average",
      basis: "location",
      scope: "life-cycle",
      points: [{ start: NEW_YEAR, end: NEW_YEAR + HOUR, value: 302 }],
    });
  });
  test("gaps stay gaps and estimates are said", async () => {
    const history = [
      hour("2026-01-01T02:00:00Z", 310, { isEstimated: true }),
      hour("2026-01-01T01:00:00Z", null),
      hour("2026-01-01T00:00:00Z", 300),
    ];
    const { answer } = await ask({ zone: "DE", history }, { want: "history" });
    expect(answer.series.points.map(({ value }) => value)).toEqual([300, 310]);
    expect(answer.notices).toEqual([
      "Electricity Maps: 1 hours have no value",
      "Electricity Maps: 1 hours are the provider's estimates",
    ]);
  });
  test("a forecast carries when it was issued; a range asks for its bounds", async () => {
    const forecast = [{ carbonIntensity: 200, datetime: "2026-01-01T05:00:00Z" }];
    const body = { zone: "DE", forecast, updatedAt: "2026-01-01T00:10:00Z" };
    const { answer } = await ask(body, { want: "forecast" });
    expect(answer.series.issuedAt).toBe(NEW_YEAR + 600_000);
    const { request } = await ask(
      { zone: "DE", data: [hour("2026-01-01T00:00:00Z", 1, { carbonIntensity: 20 })] },
      { want: "history", from: NEW_YEAR, to: NEW_YEAR + HOUR },
    );
    expect(request?.url).toContain("past-range?zone=DE&emissionFactorType=lifecycle&start=2026-01");
  });
  test.each([
    ["half of it", '{"zone":"DE","carbonInt', /no JSON, or a part/],
    ["another shape", { message: "ok" }, /cannot be read/],
    [
      "text for a number",
      hour("2026-01-01T00:00:00Z", 0, { carbonIntensity: "302" }),
      /carbonIntensity/,
    ],
    ["another zone", { ...hour("2026-01-01T00:00:00Z", 302), zone: "FR" }, /about FR, not DE/],
    [
      "direct factors",
      hour("2026-01-01T00:00:00Z", 302, { emissionFactorType: "direct" }),
      /direct/,
    ],
    ["kilograms", hour("2026-01-01T00:00:00Z", 0.302), /look like kg/],
    ["pounds per MWh of a lie", hour("2026-01-01T00:00:00Z", 302_000), /no gCO2e\/kWh/],
    ["a negative one", hour("2026-01-01T00:00:00Z", -5), /no gCO2e\/kWh/],
    ["a time without zone", hour("2026-01-01T00:00:00", 302), /no time with a zone/],
    ["no time", hour("yesterday", 302), /no time with a zone/],
    ["no value at all", hour("2026-01-01T00:00:00Z", null), /it has no values/],
  ])("%s is refused", async (_, body, message) => {
    await expect(ask(body)).rejects.toThrow(message);
  });
  test("two values for one hour are refused", async () => {
    const history = [hour("2026-01-01T00:00:00Z", 1), hour("2026-01-01T00:30:00Z", 2)];
    await expect(ask({ zone: "DE", history }, { want: "history" })).rejects.toThrow(/two values/);
  });
  test("whatever a server answers, the outcome is a series or a UserError", async () => {
    let body = "";
    const server = await startServer((_, response) => response.end(body));
    const provider = electricityMaps(hostWith(env), { client: clientOf(), baseUrl: server.url });
    const likely = fc.record({
      zone: fc.constantFrom("DE", "FR", null),
      carbonIntensity: fc.oneof(fc.double(), fc.string(), fc.constant(null)),
      datetime: fc.oneof(fc.string(), fc.constant("2026-01-01T00:00:00Z")),
    });
    const any = fc.oneof(
      fc.json(),
      fc.string(),
      likely.map((it) => JSON.stringify(it)),
    );
    await fc.assert(
      fc.asyncProperty(any, async (text) => {
        body = text;
        const outcome = await provider
          .fetch({ zone: "DE", want: "latest" })
          .then((answer) => answer.series.points.length > 0)
          .catch((error: unknown) => error instanceof Error && error.name === "UserError");
        expect(outcome).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
  test("without a credential it says where to get one; a file may hold it", async () => {
    const query = { zone: "DE", want: "latest" } as const;
    await expect(
      electricityMaps(createFakeHost(), { client: clientOf() }).fetch(query),
    ).rejects.toMatchObject({ code: "denied", hint: expect.stringContaining("portal") });
    const server = await startServer(
      inTurn({ body: JSON.stringify(hour("2026-01-01T00:00:00Z", 302)) }),
    );
    const files = { "/run/secrets/em": "from-a-file\n" };
    const host = hostWith({ ELECTRICITY_MAPS_TOKEN_FILE: "/run/secrets/em" }, { files });
    await electricityMaps(host, { client: clientOf(), baseUrl: server.url }).fetch(query);
    expect(server.requests[0]?.headers["auth-token"]).toBe("from-a-file");
  });
});

describe("WattTime", () => {
  const env = { WATTTIME_USER: "jo", WATTTIME_PASSWORD: "pä:ss" };
  const meta = {
    region: "CAISO_NORTH",
    signal_type: "co2_moer",
    units: "lbs_co2_per_mwh",
    data_point_period_seconds: 300,
    generated_at: "2026-01-01T00:00:00+00:00",
  };
  const data = [
    { point_time: "2026-01-01T00:00:00+00:00", value: 1000 },
    { point_time: "2026-01-01T00:05:00+00:00", value: 900 },
  ];
  const serve = (body: unknown, refuseFirst = 0) => {
    let refused = 0;
    return startServer((request, response) => {
      if (request.url === "/login") response.end('{"token":"bearer-1"}');
      else if (refused++ < refuseFirst) response.writeHead(401).end();
      else response.end(JSON.stringify(body));
    });
  };
  const query = { zone: "CAISO_NORTH", want: "forecast" } as const;

  test("signs in, then reads marginal rates in pounds as grams", async () => {
    const server = await serve({ data, meta });
    const provider = wattTime(hostWith(env), { client: clientOf(), baseUrl: server.url });
    const { series } = await provider.fetch(query);
    // 1,000 lb/MWh x 453.59237 g/lb / 1,000 kWh/MWh.
    expect(series.points[0]).toEqual({
      start: NEW_YEAR,
      end: NEW_YEAR + 300_000,
      value: 453.59237,
    });
    expect(series).toMatchObject({ kind: "marginal", scope: "direct", issuedAt: NEW_YEAR });
    const basic = Buffer.from("jo:pä:ss").toString("base64");
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${basic}`);
    expect(server.requests[1]?.headers.authorization).toBe("Bearer bearer-1");
    await provider.fetch(query);
    expect(server.requests.filter(({ url }) => url === "/login")).toHaveLength(1);
  });
  test("a token that has run out is renewed once; a refused one is told", async () => {
    const server = await serve({ data, meta });
    const provider = wattTime(hostWith(env), { client: clientOf(), baseUrl: server.url });
    await provider.fetch(query);
    const strict = await serve({ data, meta }, 99);
    const refused = wattTime(hostWith(env), { client: clientOf(), baseUrl: strict.url });
    const error = await refused.fetch(query).catch((one: unknown) => one);
    expect(error).toMatchObject({ code: "denied" });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/bearer-1|pä:ss/);
    expect(strict.requests).toHaveLength(2);
  });
  test.each([
    ["a percentage", { ...meta, units: "percentile" }, /unit is "percentile"/],
    ["health damage", { ...meta, signal_type: "health_damage" }, /health_damage/],
    ["another region", { ...meta, region: "PJM_DC" }, /of PJM_DC/],
  ])("%s is refused", async (_, wrong, message) => {
    const server = await serve({ data, meta: wrong });
    const provider = wattTime(hostWith(env), { client: clientOf(), baseUrl: server.url });
    await expect(provider.fetch(query)).rejects.toThrow(message);
  });
});

describe("UK Carbon Intensity", () => {
  const half = (from: string, to: string, forecast: number | null, actual?: number | null) => ({
    from,
    to,
    intensity: { forecast, actual, index: "moderate" },
  });
  const halves = [
    half("2025-12-31T23:30Z", "2026-01-01T00:00Z", 266, 263),
    half("2026-01-01T00:00Z", "2026-01-01T00:30Z", 260, null),
  ];
  const ask = async (body: unknown, query = {}) => {
    const server = await startServer(inTurn({ body: JSON.stringify(body) }));
    const provider = ukCarbonIntensity(createFakeHost(), {
      client: clientOf(),
      baseUrl: server.url,
    });
    const answer = await provider.fetch({ zone: "GB", want: "history", ...query });
    return { ...answer, url: server.requests[0]?.url };
  };
  test("half-hours, direct; outturn where there is one, else the forecast, said", async () => {
    const { series, notices, url } = await ask({ data: halves });
    expect(url).toBe("/intensity/2025-12-31T00:00Z/2026-01-01T00:00Z");
    expect(series).toMatchObject({ kind: "average", scope: "direct" });
    expect(series.points.map(({ value, estimated }) => [value, estimated])).toEqual([
      [263, undefined],
      [260, true],
    ]);
    expect(notices[0]).toContain("1 half-hours are forecasts");
  });
  test("the forecast does not mix in outturns; the latest is the half-hour that is now", async () => {
    const { series } = await ask({ data: halves }, { want: "forecast" });
    expect(series.points.map(({ value }) => value)).toEqual([266, 260]);
    expect((await ask({ data: halves }, { want: "latest" })).series.points).toHaveLength(1);
  });
  test("regions by number and postcode", async () => {
    const regional = { data: { regionid: 13, data: halves } };
    const { series, url } = await ask(regional, { zone: "region:13" });
    expect(url).toContain("/regional/intensity/2025-12-31T00:00Z/2026-01-01T00:00Z/regionid/13");
    expect(series.points).toHaveLength(2);
    expect((await ask({ data: [regional.data] }, { zone: "postcode:rg10" })).url).toContain(
      "/postcode/RG10",
    );
  });
  test.each(["region:18", "postcode:../../x", "FR", "region:0"])("no zone %s", async (zone) => {
    await expect(ask({ data: halves }, { zone })).rejects.toThrow(/no zone/);
  });
});

describe("ENTSO-E", () => {
  const env = { ENTSOE_API_KEY: "entsoe-key" };
  const period = (resolution: string, quantities: readonly (number | null)[], hours = 1) =>
    `<Period><timeInterval><start>2025-12-31T22:00Z</start><end>${new Date(Date.UTC(2025, 11, 31, 22 + hours)).toISOString().slice(0, 16)}Z</end></timeInterval>
     <resolution>${resolution}</resolution>${quantities
       .map((quantity, at) =>
         quantity === null
           ? ""
           : `<Point><position>${at + 1}</position><quantity>${quantity}</quantity></Point>`,
       )
       .join("")}</Period>`;
  const series = (type: string, periods: string, more = "<curveType>A01</curveType>") =>
    `<TimeSeries><mRID>1</mRID><inBiddingZone_Domain.mRID codingScheme="A01">10Y1001A1001A83F</inBiddingZone_Domain.mRID>
     <quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>${more}
     <MktPSRType><psrType>${type}</psrType></MktPSRType>${periods}</TimeSeries>`;
  const document = (...all: readonly string[]) =>
    `<?xml version="1.0" encoding="utf-8"?>
     <GL_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0">
     <!-- made for a test --><mRID>x</mRID>${all.join("")}</GL_MarketDocument>`;
  const ask = async (body: string, want: "latest" | "history" | "forecast" = "history") => {
    const server = await startServer(inTurn({ body }));
    const factors = await loadFactors(createFakeHost(), "carboncast", "life-cycle");
    const options = { client: clientOf(), factors, baseUrl: `${server.url}/api` };
    const answer = await entsoe(hostWith(env), options).fetch({ zone: "DE", want });
    return { ...answer, url: server.requests[0]?.url };
  };

  test("generation by type becomes the mix's intensity", async () => {
    const { series: found, url } = await ask(
      document(
        series("B05", period("PT60M", [3000])),
        series("B19", period("PT15M", [900, 1000, 1100, 1000])),
      ),
    );
    // (3,000 MW coal x 820 + 1,000 MW wind x 11) / 4,000 (CarbonCast, Table 1).
    expect(found.points).toEqual([
      { start: NEW_YEAR - 2 * HOUR, end: NEW_YEAR - HOUR, value: (3 * 820 + 11) / 4 },
    ]);
    expect(found).toMatchObject({ kind: "average", scope: "life-cycle" });
    const query = new URL(url ?? "", "http://x").searchParams;
    expect(Object.fromEntries(query)).toEqual({
      documentType: "A75",
      processType: "A16",
      in_Domain: "10Y1001A1001A83F",
      periodStart: "202512310000",
      periodEnd: "202601010000",
      securityToken: "entsoe-key",
    });
  });
  test("in a curve of variable blocks what is left out repeats; elsewhere it is a gap", () => {
    const block = period("PT15M", [1000, null, null, 2000]);
    const repeated = readGeneration(document(series("B04", block, "<curveType>A03</curveType>")));
    expect(repeated.hours[0]?.mix).toEqual({ gas: (3 * 1000 + 2000) / 4 });
    expect(readGeneration(document(series("B04", block)))).toEqual({ hours: [], dropped: 1 });
  });
  test("an hour in which one type is missing is left out, and said", async () => {
    const { series: found, notices } = await ask(
      document(
        series("B05", period("PT60M", [3000, 3000], 2)),
        series("B16", period("PT60M", [100], 1)),
      ),
    );
    expect(found.points).toHaveLength(1);
    expect(notices[0]).toContain("1 hours were left out");
  });
  test("storage, and what it takes up, is no generation", () => {
    const taken = series("B16", period("PT60M", [500])).replaceAll("inBidding", "outBidding");
    const pumped = series("B10", period("PT60M", [700]));
    const { hours } = readGeneration(document(taken, pumped, series("B14", period("PT60M", [9]))));
    expect(hours[0]?.mix).toEqual({ nuclear: 9 });
  });
  test.each([
    ["megawatt-hours", document(series("B05", period("PT60M", [1]))).replace("MAW", "MWH"), /MWH/],
    ["an unknown type", document(series("B99", period("PT60M", [1]))), /"B99"/],
    ["a strange resolution", document(series("B05", period("P1Y", [1]))), /"P1Y"/],
    [
      "no number",
      document(series("B05", period("PT60M", [1]))).replace("<quantity>1<", "<quantity>many<"),
      /"many" is no quantity/,
    ],
    ["half of it", document(series("B05", period("PT60M", [1]))).slice(0, 600), /cut off/],
    ["another document", "<Publication_MarketDocument/>", /Publication_MarketDocument/],
    ["JSON", '{"error":1}', /cannot be read/],
    [
      "an acknowledgement",
      "<Acknowledgement_MarketDocument><Reason><code>999</code><text>No matching data</text></Reason></Acknowledgement_MarketDocument>",
      /No matching data/,
    ],
  ])("%s is refused", async (_, body, message) => {
    await expect(ask(body)).rejects.toThrow(message);
  });
  test("there is no forecast", async () => {
    await expect(ask(document(), "forecast")).rejects.toMatchObject({ code: "unsupported" });
  });
  test("entities cannot be defined: a billion laughs are none", () => {
    const bomb =
      '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><lolz>&lol2;</lolz>';
    expect(() => parseXml(bomb)).toThrow(/document type/);
    expect(() => parseXml("<a>".repeat(100_000))).toThrow(/too deep/);
    expect(() => parseXml("</a>")).toThrow(SyntaxError);
    expect(parseXml("<n:a x='>'>1 &lt; 2 &amp;<b/></n:a>")).toMatchObject({
      name: "a",
      text: "1 < 2 &",
    });
  });
});

describe("a file or an address", () => {
  const accounting = { kind: "average", basis: "market", scope: "direct" } as const;
  const read = (text: string, query = {}) =>
    fileOrUrl(createFakeHost({ files: { "/ci.csv": text } }), {
      client: clientOf(),
      target: "/ci.csv",
      accounting,
    }).fetch({ zone: "own", want: "history", ...query });

  test("CSV without ends: each value holds until the next", async () => {
    const { series } = await read(
      "utc,gco2e_per_kwh\n2026-01-01T00:00Z,300\n2026-01-01T01:00Z,\n2026-01-01T02:00Z,200\n",
    );
    expect(series).toMatchObject({ ...accounting, zone: "own" });
    expect(series.points.map(({ start, end, value }) => [start, end, value])).toEqual([
      [NEW_YEAR, NEW_YEAR + 2 * HOUR, 300],
      [NEW_YEAR + 2 * HOUR, NEW_YEAR + 4 * HOUR, 200],
    ]);
  });
  test("JSON with ends, from an address", async () => {
    const data = [
      { start: "2026-01-01T00:00+01:00", end: "2026-01-01T01:00+01:00", gco2e_per_kwh: 210 },
    ];
    const server = await startServer(inTurn({ body: JSON.stringify({ data }) }));
    const provider = fileOrUrl(createFakeHost(), {
      client: clientOf(),
      target: `${server.url}/ci.json`,
      accounting,
    });
    const { series } = await provider.fetch({ zone: "own", want: "history" });
    expect(series.points).toEqual([{ start: NEW_YEAR - HOUR, end: NEW_YEAR, value: 210 }]);
  });
  test("what the file says of its values stands, and nobody may say otherwise", async () => {
    const file = (fields: object) =>
      JSON.stringify({
        ...fields,
        data: [
          { start: "2026-01-01T00:00Z", end: "2026-01-01T01:00Z", gco2e_per_kwh: 210 },
          { start: "2026-01-01T01:00Z", end: "2026-01-01T02:00Z", gco2e_per_kwh: 220 },
        ],
      });
    const said = (text: string, given = {}) =>
      fileOrUrl(createFakeHost({ files: { "/ci.json": text } }), {
        client: clientOf(),
        target: "/ci.json",
        accounting: given,
      }).fetch({ zone: "own", want: "history" });
    const marginal = file({ kind: "marginal", basis: "location", scope: "direct" });
    expect((await said(marginal)).series).toMatchObject({ kind: "marginal", scope: "direct" });
    await expect(said(marginal, { kind: "average" })).rejects.toThrow(/kind is marginal, not/);
    expect((await said(file({}), { kind: "marginal" })).series.kind).toBe("marginal");
    expect((await said(file({}))).series).toMatchObject({ kind: "average", scope: "unknown" });
    await expect(said(file({ kind: "mean" }))).rejects.toThrow(/"mean" is no kind/);
    const mixed =
      "start,gco2e_per_kwh,kind\n2026-01-01T00:00Z,300,average\n2026-01-01T01:00Z,310,marginal\n";
    await expect(said(mixed)).rejects.toThrow(/mixes average and marginal/);
  });
  test.each([
    ["a column without a unit", "utc,ci\n2026-01-01T00:00Z,300\n", /has no column gco2e_per_kwh/],
    ["a time without a zone", "utc,g_per_kwh\n2026-01-01 00:00,300\n", /no time with a zone/],
    ["kilograms", "utc,g_per_kwh\n2026-01-01T00:00Z,0.3\n2026-01-01T01:00Z,0.2\n", /kg/],
    ["words", "utc,g_per_kwh\n2026-01-01T00:00Z,high\n2026-01-01T01:00Z,low\n", /"high"/],
    ["one value of no length", "utc,g_per_kwh\n2026-01-01T00:00Z,300\n", /how long/],
    ["a ragged row", "utc,g_per_kwh\n2026-01-01T00:00Z\n", /no CSV/],
    ["nothing", "", /it has none/],
  ])("%s is refused", async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
  test("a file that is not there is named", async () => {
    await expect(
      fileOrUrl(createFakeHost(), { client: clientOf(), target: "/no.csv", accounting }).fetch({
        zone: "own",
        want: "history",
      }),
    ).rejects.toThrow(/cannot read \/no\.csv/);
  });
});
