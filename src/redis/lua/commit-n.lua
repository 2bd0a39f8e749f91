--[[
  Stores what the holder of a lease has loaded, unless something moved since the lease was granted.

  Input
    KEYS[1]     entry
    KEYS[2]     lease
    KEYS[3]     chain head
    KEYS[4..n]  stamps: of the namespaces above, then of the tags

    ARGV[1]     where notices are published: command and channel
    ARGV[2]     token of the lease
    ARGV[3]     the entry's head
    ARGV[4]     the entry's tail
    ARGV[5]     TTL in milliseconds; 0: it has no end
    ARGV[6]     notice for those who wait: filled
    ARGV[7]     notice for those who wait: refused
    ARGV[8]     nonce of stamps that do not exist yet
    ARGV[9..n]  per stamp, the field of the chain head that notes its last invalidation

  Output
    { 'stored', stamps... }
    { 'refused', reason }   the lease is gone ('lease'), the chain is gone ('chain'), a stamp moved ('moved')
    { 'failed', message }   memory is full
]]
--- @include entry_bytes
--- @include head_number
--- @include keep_stamp
--- @include publish
--- @include put
--- @include read_lease
--- @include read_stamp

local token, n0, mark = read_lease(KEYS[2])
if token ~= ARGV[2] then
  return { 'refused', 'lease' }
end

local function refuse(word, reason)
  redis.call('DEL', KEYS[2])
  if mark ~= '' then
    publish(ARGV[1], ARGV[7])
  end
  return { word, reason }
end

if not head_number(KEYS[3]) then
  return refuse('refused', 'chain')
end

local life = tonumber(ARGV[5])
local stamps = {}
local missing = {}
for index = 4, #KEYS do
  local stamp, n = read_stamp(KEYS[index])
  if stamp then
    if n > n0 then
      return refuse('refused', 'moved')
    end
    stamps[#stamps + 1] = stamp
  else
    local last = redis.call('HGET', KEYS[3], ARGV[index + 5]) or redis.call('HGET', KEYS[3], 'floor')
    local moved = tonumber(last or '')
    if not moved or not (moved <= n0) then
      return refuse('refused', 'moved')
    end
    missing[#missing + 1] = KEYS[index]
    stamps[#stamps + 1] = string.format('%.0f', n0) .. ':' .. ARGV[8]
  end
end

for _, key in ipairs(missing) do
  local done = put(key, string.format('%.0f', n0) .. ':' .. ARGV[8], life)
  if type(done) == 'table' and done.err then
    return refuse('failed', done.err)
  end
end
local done = put(KEYS[1], entry_bytes(ARGV[3], n0, stamps, ARGV[4]), life)
if type(done) == 'table' and done.err then
  return refuse('failed', done.err)
end
for index = 4, #KEYS do
  keep_stamp(KEYS[index], life)
end
redis.call('DEL', KEYS[2])
if mark ~= '' then
  publish(ARGV[1], ARGV[6])
end
return { 'stored', unpack(stamps) }
