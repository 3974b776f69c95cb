// The topics of `godwit help TOPIC`.

/** Text of each topic. */
export const TOPICS: Readonly<Record<string, string>> = {
  sensors: `Where energy figures come from, best first. godwit doctor says what this machine has.

  machine  BMC (IPMI, Redfish), ACPI power meter, an external meter (--meter), battery
  cpu      RAPL (perf, powercap, MSR), hwmon, Windows EMI, Apple IOReport, a model
  gpu      energy counter, average power, nvidia-smi, rated power times utilisation
  memory   RAPL dram, a model

Every figure says how it came to be:
  measured   read from a counter or meter
  sampled    integrated from readings of power
  estimated  a model; its interval says how far it can be off
  declared   said by a person, a file or a published table
`,
  units: `Durations        500ms  3s  2min  1h  1d   (a bare number is seconds)
Energy           10J  10kJ  10 MJ  3Wh  2kWh
Carbon intensity gCO2e/kWh, as grid operators publish it: 380
PUE              facility energy over machine energy: 1 or more

1 kWh is 3.6 MJ exactly. Figures are shown to three significant digits; the range in
parentheses is a 90 % interval.
`,
  "exit-codes": `godwit run ends as the command ended: with its exit code, or by its signal.

    0  done
    1  failed
    2  wrong usage
    3  nothing could be measured (only with --require measured)
    4  a budget was exceeded (budget check, --on-exceed stop)
  125  godwit run: godwit itself failed before the command was started
  126  godwit run: the command was found but could not be executed
  127  godwit run: the command was not found

godwit slim ends with 2 when the budget cannot be met or shown to be, 3 when nothing
costs less, 4 for a bad model, 5 for bad data, 6 when the written file failed its checks,
64 for wrong usage, 130 when it was interrupted.

budget check ends with 1 when runs or figures are missing (--strict: or a verdict is
inconclusive); card --check when something is wrong; export --otlp when the receiver
rejected something.
`,
  formats: `What godwit writes (export), and takes in (import). docs/formats.md says what is lost.

  --csv, --parquet      one row a run, units in the names of columns
  --json, --ndjson      whole cards; nothing is lost
  --prometheus          text exposition 0.0.4 for node_exporter's textfile collector
  --otlp                OTLP/HTTP JSON: hw.energy, hw.power, spans
  --codecarbon          CodeCarbon's emissions.csv: kg, kWh
  --boamps              BoAmps report of one run
  --impact-framework    manifest for if-run
  godwit metrics        the same for a Prometheus server that comes and asks
  godwit card           co2_eq_emissions of a Hugging Face model card, grams
  godwit badge          SVG, or JSON for a shields.io endpoint
  godwit import         sacct, MLPerf Power's spl.txt, CodeCarbon's emissions.csv
`,
  config: `An option of the command line overrules the environment, which overrules the project's
settings, which overrule the default. Settings are in godwit.json, in the nearest folder
upward, each written as its option takes it:

  { "location": "DE", "pue": 1.2, "price": "0.30EUR/kWh", "carbonPrice": "80EUR/t",
    "embodied": "1300kg", "life": 5 }

  GODWIT_LEDGER     folder of the ledger; default .godwit in the project. Or a PostgreSQL server:
                    postgresql://user@host:port/database?sslmode=verify-full, over a Unix socket
                    postgresql:///database?host=/var/run/postgresql
  PGPASSWORD        its password, better there than in the URL; PGUSER, PGSSLMODE ... too
  GODWIT_LOCATION   place whose carbon intensity applies, such as DE or aws:eu-west-1
  GODWIT_INTENSITY  carbon intensity in gCO2e/kWh
  GODWIT_PUE        power usage effectiveness of the data centre
  GODWIT_PRICE      price of electricity, such as 0.30EUR/kWh
  GODWIT_CARBON_PRICE   price of a tonne of CO2e, such as 80EUR/t
  GODWIT_EMBODIED   CO2e of making this machine, such as 1300kg (its maker tells)
  GODWIT_LIFE       years that it serves
  GODWIT_METER      external power meter: a file that grows, or the address of a plug
  GODWIT_DATA       folder of datasets (godwit data) and of published studies (godwit replay)
  GODWIT_POWERCAP   folder of the powercap tree whose limits tune-training sets
  GODWIT_CLOUD_METADATA=1   ask the cloud's metadata service where this machine is
  GODWIT_REDFISH_URL, GODWIT_REDFISH_USER, GODWIT_REDFISH_PASSWORD_FILE
                    management controller of this machine
  OTEL_EXPORTER_OTLP_HEADERS   credentials for export --otlp: authorization=Bearer%20...
  NO_COLOR, FORCE_COLOR, TERM=dumb   colours

A measured command finds set:

  GODWIT_FACTS      a file into which it may write quality and operations, as JSON
  GODWIT_CONFIG     the values of its trial, as JSON (godwit tune)
  GODWIT_RUN        the run that it is part of, so that nothing is counted twice
  GODWIT_JOB_ID, GODWIT_JOB_ATTEMPT   the job that it is (godwit submit), and how often it was
                    started; a checkpoint command finds GODWIT_JOB_PID too
`,
};
