--[[
  Gives the entry of a key new deadlines, from now on.

  Input
    KEYS[1]     entry
    KEYS[2]     lease
    KEYS[3]     chain head
    KEYS[4..n]  stamps that it carries: of the namespaces above, then of the tags

    ARGV[1]  where notices are published: command and channel
    ARGV[2]  the new tip
    ARGV[3]  body of the notice
    ARGV[4]  how long it is fresh, in milliseconds, or 'never'
    ARGV[5]  how long it may be served stale after that, in milliseconds, or 'never'

  Output
    1  there was an entry
    0  there was none: nothing was done
]]
--- @include chain
--- @include keep_stamp

local head = redis.pcall('GETRANGE', KEYS[1], 0, 2)
if head ~= 'tc\1' then
  return 0
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local fresh = math.huge
if ARGV[4] ~= 'never' then
  fresh = now + tonumber(ARGV[4])
end
local stale = math.huge
if ARGV[5] ~= 'never' then
  stale = fresh + tonumber(ARGV[5])
end
redis.call('DEL', KEYS[2])
redis.call('SETRANGE', KEYS[1], 28, struct.pack('>dd', fresh, stale))
local life = 0
if stale == math.huge then
  redis.call('PERSIST', KEYS[1])
else
  life = math.max(1, math.ceil(stale - now))
  redis.call('PEXPIRE', KEYS[1], life)
end
for index = 4, #KEYS do
  keep_stamp(KEYS[index], life)
end
chain(KEYS[3], ARGV[1], ARGV[2], ARGV[3])
return 1
