--[[
  Adds to a counter, and makes it where there is none.

  Input
    KEYS[1]     entry
    KEYS[2]     lease
    KEYS[3]     chain head
    KEYS[4..n]  stamps of the namespaces above

    ARGV[1]     where notices are published: command and channel
    ARGV[2]     the new tip, and the nonce of stamps that do not exist yet
    ARGV[3]     body of the notice
    ARGV[4]     head of an entry that is made now; its fill stamp names this call
    ARGV[5]     TTL in milliseconds of an entry that is made now; 0: it has no end
    ARGV[6]     the caller's deadline, server time in milliseconds
    ARGV[7]     what is added, an integer
    ARGV[8..n]  per stamp, the field of the chain head that notes its last invalidation

  Output
    { 'stored', value }  an entry that was there keeps its deadlines; of a call that comes twice the second one adds
                         nothing, unless another one came in between
    { 'late' }           the caller has given up waiting: nothing was done
    { 'wrong' }          the entry there is no counter; the stamps of its tags are not looked at
    { 'overflow' }       the value would leave the integers that are exact
    { 'failed', message } memory is full: nothing was done
]]
--- @include carried_stamps
--- @include chain
--- @include entry_bytes
--- @include entry_counter
--- @include next_link
--- @include set_or_full
--- @include store
--- @include value_or_absent

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local life = tonumber(ARGV[5])
local link = next_link(KEYS[3])
local n0 = link.follows
local carried = carried_stamps({ unpack(KEYS, 4) }, { unpack(ARGV, 8) }, KEYS[3], n0, ARGV[2], life)
local there = value_or_absent('GET', KEYS[1])
local word, value, at = entry_counter(there, carried.list, now)

local fill = string.sub(ARGV[4], 5, 12)
if word == 'counter' and string.sub(there, 5, 12) == fill then
  return { 'stored', string.format('%.0f', value) }
end
if now > tonumber(ARGV[6]) then
  return { 'late' }
end
if word == 'wrong' then
  return { 'wrong' }
end
local sum = (value or 0) + tonumber(ARGV[7])
if sum > 9007199254740991 or sum < -9007199254740991 then
  return { 'overflow' }
end
local text = string.format('%.0f', sum)

local full
if word == 'counter' then
  -- Another value, so another fill stamp.
  local bytes = string.sub(there, 1, 4) .. fill .. string.sub(there, 13, at - 1) .. text
  full = set_or_full(KEYS[1], bytes, 'KEEPTTL')
else
  full = store(KEYS[1], entry_bytes(ARGV[4], n0, carried.list, text), carried, life)
end
if full then
  return { 'failed', full }
end
redis.call('DEL', KEYS[2])
chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3])
return { 'stored', text }
