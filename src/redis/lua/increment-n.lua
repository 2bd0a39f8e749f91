--[[
  Adds to a counter, and makes it where there is none.

  Input
    KEYS[1]     entry
    KEYS[2]     lease
    KEYS[3]     chain head
    KEYS[4..n]  stamps of the namespaces above

    ARGV[1]  where notices are published: command and channel
    ARGV[2]  the new tip
    ARGV[3]  body of the notice
    ARGV[4]  head of an entry that is made now
    ARGV[5]  TTL in milliseconds of an entry that is made now; 0: it has no end
    ARGV[6]  the caller's deadline, server time in milliseconds
    ARGV[7]  what is added, an integer

  Output
    { 'stored', value }  an entry that was there keeps its deadlines
    { 'late' }           the caller has given up waiting: nothing was done
    { 'wrong' }          the entry there is no counter; the stamps of its tags are not looked at
    { 'overflow' }       the value would leave the integers that are exact
    { 'failed', message } memory is full: nothing was done
]]
--- @include chain
--- @include entry_bytes
--- @include entry_counter
--- @include head_number
--- @include keep_stamp
--- @include put
--- @include read_stamp

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if now > tonumber(ARGV[6]) then
  return { 'late' }
end

local n0 = head_number(KEYS[3]) or (tonumber(time[1]) * 1000000 + tonumber(time[2]))
local created = string.format('%.0f', n0) .. ':' .. ARGV[2]
local stamps = {}
local missing = {}
for index = 4, #KEYS do
  local stamp = read_stamp(KEYS[index])
  if not stamp then
    missing[#missing + 1] = KEYS[index]
  end
  stamps[#stamps + 1] = stamp or created
end

local there = redis.pcall('GET', KEYS[1])
local word, value, at = entry_counter(there, stamps, now)
if word == 'wrong' then
  return { 'wrong' }
end
local sum = (value or 0) + tonumber(ARGV[7])
if sum > 9007199254740991 or sum < -9007199254740991 then
  return { 'overflow' }
end
local text = string.format('%.0f', sum)

local life = tonumber(ARGV[5])
local done
if word == 'counter' then
  -- Another value, so another fill stamp.
  local bytes = string.sub(there, 1, 4) .. string.sub(ARGV[4], 5, 12) .. string.sub(there, 13, at - 1) .. text
  done = redis.pcall('SET', KEYS[1], bytes, 'KEEPTTL')
else
  done = put(KEYS[1], entry_bytes(ARGV[4], n0, stamps, text), life)
end
if type(done) == 'table' and done.err then
  return { 'failed', done.err }
end
for _, key in ipairs(missing) do
  put(key, created, life)
end
if word ~= 'counter' then
  for index = 4, #KEYS do
    keep_stamp(KEYS[index], life)
  end
end
redis.call('DEL', KEYS[2])
chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3])
return { 'stored', text }
