--[[
  Grants the lease of a key, unless an entry that the caller has not seen is there, or somebody else holds it.

  Input
    KEYS[1]  entry
    KEYS[2]  lease: token|n0, with a '!' when a process waits, or a '~' when none shall, since it was granted after a
             'skip'; or what its last holder left: 'skip';
             failed|code|message; or late|token|n0|milliseconds|code|message of a holder past its deadline, which may
             be replaced when there are no more than so many milliseconds to the end of the key
    KEYS[3]  chain head

    ARGV[1]  token of the caller
    ARGV[2]  length of the lease in milliseconds
    ARGV[3]  what the caller saw and may not use: the fill stamp of an entry (8 bytes), the SHA-1 of unreadable bytes
             (40 hexadecimal digits), or ''
    ARGV[4]  '1' when the caller has waited for a holder of this lease, else '0'
    ARGV[5]  '1' when the caller can do without, since a stale value is served meanwhile, else '0'

  Output
    { 'granted', n0 }           the chain's number at this moment; or at the first one, of a call that comes twice
    { 'found' }                 another entry is there: read it
    { 'busy', milliseconds }    somebody holds the lease, for so long at most
    { 'late', milliseconds }    somebody holds it past its deadline, for so long at most
    { 'skip' }                  the last load said: do not store, let each load for itself; and another one may store
                                what it loads, or the caller can do without
    { 'failed', code, message } the load that the caller waited for has failed
    { 'full', message }         memory is full: there is no room for a lease
]]
--- @include head_number
--- @include set_or_full
--- @include value_or_absent

local there = value_or_absent('GET', KEYS[1])
if type(there) == 'string' then
  local seen = ARGV[3]
  local same = (#seen == 8 and string.sub(there, 5, 12) == seen) or (#seen == 40 and redis.sha1hex(there) == seen)
  if not same then
    return { 'found' }
  end
end

local held = value_or_absent('GET', KEYS[2])
local mark = ''
if type(held) == 'string' then
  local left = redis.call('PTTL', KEYS[2])
  if held == 'skip' and left > 0 then
    if ARGV[5] == '1' then
      return { 'skip' }
    end
    -- The next value may be stored again. Nobody waits for it, since it may be for its caller alone.
    mark = '~'
  end
  local code, message = string.match(held, '^failed|([^|]*)|(.*)$')
  local kept
  if not code then
    kept, code, message = string.match(held, '^late|%x+|%d+|(%d+)|([^|]*)|(.*)$')
  end
  if kept then
    left = left - tonumber(kept)
  end
  if code and left > 0 and ARGV[4] == '1' then
    return { 'failed', code, message }
  end
  if kept and left > 0 then
    return { 'late', left }
  end
  local token, granted = string.match(held, '^(%x+)|(%d+)[!~]*$')
  if token and left > 0 then
    if token == ARGV[1] then
      return { 'granted', granted }
    end
    if string.sub(held, -1) == '~' then
      return { 'skip' }
    end
    if string.sub(held, -1) ~= '!' then
      -- When memory is full it waits without a mark, and so for the end of the lease.
      set_or_full(KEYS[2], held .. '!', 'KEEPTTL')
    end
    return { 'busy', left }
  end
end

local n = head_number(KEYS[3])
local n0
if n then
  n0 = string.format('%.0f', n)
else
  local time = redis.call('TIME')
  n0 = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
end
local full = set_or_full(KEYS[2], ARGV[1] .. '|' .. n0 .. mark, 'PX', ARGV[2])
if full then
  return { 'full', full }
end
if not n then
  redis.call('DEL', KEYS[3])
  redis.call('HSET', KEYS[3], 'n', n0, 'floor', n0, 'tip', string.sub(ARGV[1], 1, 16))
end
return { 'granted', n0 }
