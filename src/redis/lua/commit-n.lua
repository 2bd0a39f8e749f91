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
--- @include carried_stamps
--- @include entry_bytes
--- @include head_number
--- @include publish
--- @include read_lease
--- @include store

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
local carried = carried_stamps({ unpack(KEYS, 4) }, { unpack(ARGV, 9) }, KEYS[3], n0, ARGV[8], life)
if carried.moved then
  return refuse('refused', 'moved')
end

local full = store(KEYS[1], entry_bytes(ARGV[3], n0, carried.list, ARGV[4]), carried, life)
if full then
  return refuse('failed', full)
end
redis.call('DEL', KEYS[2])
if mark ~= '' then
  publish(ARGV[1], ARGV[6])
end
return { 'stored', unpack(carried.list) }
