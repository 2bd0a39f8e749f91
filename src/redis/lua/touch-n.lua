--[[
  Gives the entry of a key a new TTL, from now on. For how long it may be served stale after that stays as it is. What was
  expired stays stale, and lives on for the TTL at least.

  Input
    KEYS[1]     entry
    KEYS[2]     lease
    KEYS[3]     chain head
    KEYS[4..n]  stamps that it carries: of the namespaces above, then of the tags

    ARGV[1]  where notices are published: command and channel
    ARGV[2]  the new tip
    ARGV[3]  body of the notice
    ARGV[4]  how long it is fresh, in milliseconds, or 'never': without an end

  Output
    1  there was an entry
    0  there was none: nothing was done
]]
--- @include chain
--- @include ends_before
--- @include live_for
--- @include next_link
--- @include value_or_absent

local head = value_or_absent('GETRANGE', KEYS[1], 0, 43)
if type(head) ~= 'string' or #head < 44 or string.sub(head, 1, 3) ~= 'tc\1' then
  return 0
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local ends = math.huge
if ARGV[4] ~= 'never' then
  ends = now + tonumber(ARGV[4])
end
local fresh, stale = struct.unpack('>dd', head, 29)
if fresh == 0 then
  -- It was expired.
  stale = math.max(stale, ends)
else
  local window = stale - fresh
  fresh = ends
  stale = ends
  -- Without an end the difference is NaN, which compares false.
  if window > 0 then
    stale = ends + window
  end
end

-- Redis takes no TTL beyond this.
local life = 0
if stale - now <= 9007199254740991 then
  life = math.max(1, math.ceil(stale - now))
end
local short = {}
for index = 4, #KEYS do
  if ends_before(KEYS[index], life) then
    table.insert(short, KEYS[index])
  end
end
local link = next_link(KEYS[3])

redis.call('DEL', KEYS[2])
redis.call('SETRANGE', KEYS[1], 28, struct.pack('>dd', fresh, stale))
live_for(KEYS[1], life)
for _, key in ipairs(short) do
  live_for(key, life)
end
chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3])
return 1
