-- Lets batch jobs that ask for it begin when the grid is cleaner: the part of `godwit slurm install-hook`
-- that runs inside slurmctld. It reads one policy file and sets one field, begin_time, of jobs that opted in.
-- Whatever goes wrong, the job is left as it was handed in. Plain Lua 5.1 to 5.4.

local M = {}

local SECONDS = { s = 1, m = 60, h = 3600, d = 86400 }

-- "18h", "90m", "3600": seconds; nil for anything else.
local function seconds_of(text)
  local number, unit = string.match(text or "", "^(%d+)([smhd]?)$")
  if number == nil then return nil end
  return tonumber(number) * (unit == "" and 1 or SECONDS[unit])
end

-- The policy: settings, and one intensity for each step. Raises an error for a file that is not one.
function M.read_policy(path)
  local file = assert(io.open(path, "r"))
  local text = file:read("*a")
  file:close()
  assert(string.match(text, "^godwit%-policy 1\n"), "not a policy")
  assert(string.match(text, "\nend\n$"), "it was cut off")
  local policy = { values = {}, qos = {} }
  for key, value in string.gmatch(text, "\n([%a-]+) ([^\n]+)") do
    if key == "value" then
      policy.values[#policy.values + 1] = assert(tonumber(value), "not a number")
    elseif key == "qos" then
      policy.qos[value] = true
    else
      policy[key] = value
    end
  end
  for _, key in ipairs({ "start", "step", "expires", "max-delay", "least-saving" }) do
    policy[key] = assert(tonumber(policy[key]), "no " .. key)
  end
  assert(policy.step > 0 and #policy.values > 0, "no forecast")
  return policy
end

-- Seconds by which a job may be put off; nil when it did not opt in.
function M.allowance(job, policy)
  local comment = job.comment or ""
  for word in string.gmatch(comment, "[^%s,;]+") do
    if word == policy.word then return policy["max-delay"] end
    local prefix = policy.word .. "="
    if string.sub(word, 1, #prefix) == prefix then
      local asked = seconds_of(string.sub(word, #prefix + 1))
      return asked and math.min(asked, policy["max-delay"])
    end
  end
  if job.qos ~= nil and policy.qos[job.qos] then return policy["max-delay"] end
  return nil
end

-- Integral of the intensity from the forecast's start; nil outside it.
local function integral(policy)
  local sums = { [0] = 0 }
  for i, value in ipairs(policy.values) do sums[i] = sums[i - 1] + value * policy.step end
  return function(at)
    local steps = (at - policy.start) / policy.step
    if steps < 0 or steps > #policy.values then return nil end
    local whole = math.min(math.floor(steps), #policy.values - 1)
    return sums[whole] + (steps - whole) * policy.step * policy.values[whole + 1]
  end
end

-- Cleanest begin of a job of `length` seconds within [now, now + delay], and the share that it saves; nil
-- when nothing is worth it. An optimum begins or ends where a step does, or begins at one of the ends.
function M.best_begin(policy, now, delay, length)
  local upto = integral(policy)
  local function cost(at)
    local from, to = upto(at), upto(at + length)
    return from and to and to - from
  end
  local usual = cost(now)
  if usual == nil or usual <= 0 then return nil end
  local best, least = now, usual
  local function try(at)
    if at <= now or at > now + delay then return end
    local one = cost(at)
    if one ~= nil and (one < least or (one == least and at < best)) then best, least = at, one end
  end
  for i = 0, #policy.values do
    local border = policy.start + i * policy.step
    try(border)
    try(border - length)
  end
  try(now + delay)
  local share = 1 - least / usual
  if best == now or share < policy["least-saving"] then return nil end
  return math.ceil(best), share
end

-- Batch jobs with a time limit; not held ones, nor ones that say when to begin or to end. Of a deadline that
-- is not in the script the plug-in is not told.
local function is_plain(job)
  if job.script == nil or job.script == "" then return false end
  if string.find("\n" .. job.script, "\n#SBATCH[^\n]*%-%-deadline") then return false end
  if job.begin_time ~= nil and job.begin_time ~= 0 then return false end
  if job.priority == 0 then return false end
  local limit = job.time_limit
  return limit ~= nil and limit > 0 and limit ~= slurm.NO_VAL and limit < 60 * 24 * 366
end

-- Sets begin_time of a job that opted in, and tells its user. Errors are the caller's to catch.
function M.submit(job, path)
  if not is_plain(job) then return end
  local policy = M.read_policy(path)
  local delay = M.allowance(job, policy)
  local now = os.time()
  if delay == nil or now >= policy.expires then return end
  local begin, share = M.best_begin(policy, now, delay, job.time_limit * 60)
  if begin == nil then return end
  job.begin_time = begin
  -- Slurm takes the first text for a format.
  pcall(slurm.log_user, "%s", string.format(
    "godwit: begins %s, when the grid is about %d %% cleaner. At once: scontrol update StartTime=now JobId=...",
    os.date("%Y-%m-%dT%H:%M:%S", begin), math.floor(100 * share + 0.5)))
end

return M
