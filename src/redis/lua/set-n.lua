--[[
  Stores a value that the caller gives, whatever was there.

  Input
    KEYS[1]     entry
    KEYS[2]     lease
    KEYS[3]     chain head
    KEYS[4..n]  stamps: of the namespaces above, then of the tags

    ARGV[1]      where notices are published: command and channel
    ARGV[2]      the new tip, and the nonce of stamps that do not exist yet
    ARGV[3]      body of the notice when stored
    ARGV[4]      body of the notice when not stored
    ARGV[5]      the entry's head
    ARGV[6]      the entry's tail
    ARGV[7]      TTL in milliseconds; 0: it has no end
    ARGV[8]      the caller's deadline, server time in milliseconds
    ARGV[9]      the caller's version of the value, or ''
    ARGV[10..n]  per stamp, the field of the chain head that notes its last invalidation

  Output
    { 'stored', number of the link, stamps... }
    { 'late' }    the caller has given up waiting: a command that is delivered late must not overwrite
    { 'older' }   the entry there has a newer version; whether that entry is void is not looked at
    { 'failed', number of the link, message }   memory is full: the old entry is gone, the new one not stored
]]
--- @include carried_stamps
--- @include chain
--- @include entry_bytes
--- @include next_link
--- @include store
--- @include value_or_absent

local time = redis.call('TIME')
if tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) > tonumber(ARGV[8]) then
  return { 'late' }
end

if ARGV[9] ~= '' then
  local there = value_or_absent('GETRANGE', KEYS[1], 0, 51)
  if type(there) == 'string' and #there == 52 and string.sub(there, 1, 3) == 'tc\1' then
    -- NaN (no version) compares false.
    if struct.unpack('>d', there, 45) > tonumber(ARGV[9]) then
      return { 'older' }
    end
  end
end

local life = tonumber(ARGV[7])
local link = next_link(KEYS[3])
local n0 = link.follows
local carried = carried_stamps({ unpack(KEYS, 4) }, { unpack(ARGV, 10) }, KEYS[3], n0, ARGV[2], life)

local full = store(KEYS[1], entry_bytes(ARGV[5], n0, carried.list, ARGV[6]), carried, life)
if full then
  redis.call('DEL', KEYS[1], KEYS[2])
  return { 'failed', chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[4]), full }
end

redis.call('DEL', KEYS[2])
return { 'stored', chain(KEYS[3], link, ARGV[1], ARGV[2], ARGV[3]), unpack(carried.list) }
