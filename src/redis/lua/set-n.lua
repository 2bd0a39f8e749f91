--[[
  Stores a value that the caller gives, whatever was there.

  Input
    KEYS[1]     entry
    KEYS[2]     lease
    KEYS[3]     chain head
    KEYS[4..n]  stamps: of the namespaces above, then of the tags

    ARGV[1]  where notices are published: command and channel
    ARGV[2]  the new tip
    ARGV[3]  body of the notice when stored
    ARGV[4]  body of the notice when not stored
    ARGV[5]  the entry's head
    ARGV[6]  the entry's tail
    ARGV[7]  TTL in milliseconds; 0: it has no end
    ARGV[8]  the caller's deadline, server time in milliseconds
    ARGV[9]  the caller's version of the value, or ''

  Output
    { 'stored', number of the link, stamps... }
    { 'late' }    the caller has given up waiting: a command that is delivered late must not overwrite
    { 'older' }   the entry there has a newer version
    { 'failed', number of the link, message }   memory is full: the old entry is gone, the new one not stored
]]
--- @include chain
--- @include entry_bytes
--- @include head_number
--- @include keep_stamp
--- @include put
--- @include read_stamp

local time = redis.call('TIME')
if tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) > tonumber(ARGV[8]) then
  return { 'late' }
end

if ARGV[9] ~= '' then
  local there = redis.pcall('GETRANGE', KEYS[1], 0, 51)
  if type(there) == 'string' and #there == 52 and string.sub(there, 1, 3) == 'tc\1' then
    -- NaN (no version) compares false.
    if struct.unpack('>d', there, 45) > tonumber(ARGV[9]) then
      return { 'older' }
    end
  end
end

-- The value follows all links so far, and so do the stamps that are made for it.
local life = tonumber(ARGV[7])
local n0 = head_number(KEYS[3]) or (tonumber(time[1]) * 1000000 + tonumber(time[2]))
local created = string.format('%.0f', n0) .. ':' .. ARGV[2]

local stamps = {}
local failure
for index = 4, #KEYS do
  local stamp = read_stamp(KEYS[index])
  if not stamp then
    stamp = created
    local done = redis.pcall('SET', KEYS[index], stamp)
    if type(done) == 'table' and done.err then
      failure = done.err
      break
    end
    if life > 0 then
      redis.call('PEXPIRE', KEYS[index], life)
    end
  end
  stamps[#stamps + 1] = stamp
end

if not failure then
  local done = put(KEYS[1], entry_bytes(ARGV[5], n0, stamps, ARGV[6]), life)
  if type(done) == 'table' and done.err then
    failure = done.err
  end
end
if not failure then
  -- Only now: after a first write of whatever kind, the server would not refuse the value when memory is full.
  for index = 4, #KEYS do
    keep_stamp(KEYS[index], life)
  end
end

if failure then
  redis.call('DEL', KEYS[1], KEYS[2])
  return { 'failed', chain(KEYS[3], ARGV[1], ARGV[2], ARGV[4]), failure }
end

redis.call('DEL', KEYS[2])
return { 'stored', chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3]), unpack(stamps) }
