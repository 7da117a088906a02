package rediscache

import "github.com/sre-go/sre/internal/redis"

// Scripts act on an entry as one step. Their keys are those of the label and of the value. The first arguments are the
// generation the act is for and the time of now; they answer 1 when they acted and 0 when the entry is another.

// scripts are the scripts of a store.
type scripts struct {
	look, load, set, replace, remove, expire *redis.Script
}

func newScripts() scripts {
	return scripts{
		look:    redis.NewScript(lookScript),
		load:    redis.NewScript(loadScript),
		set:     redis.NewScript(isScript + setScript),
		replace: redis.NewScript(replaceScript),
		remove:  redis.NewScript(isScript + removeScript),
		expire:  redis.NewScript(expireScript),
	}
}

// lookScript answers with the label, up to so many bytes, whether there is a value, how long it is and how many
// milliseconds it has to live (negative for ever).
const lookScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then return {false, redis.call('EXISTS', KEYS[2]), 0, -1} end
return {redis.call('GETRANGE', KEYS[1], 0, ARGV[1]), redis.call('EXISTS', KEYS[2]), redis.call('STRLEN', KEYS[2]), redis.call('PTTL', KEYS[2])}`

// loadScript answers with the label, the value and how many milliseconds it has to live.
const loadScript = `
return {redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]), redis.call('PTTL', KEYS[2])}`

// isScript defines whether a label is that of a living entry of the generation.
const isScript = `
local function is(label)
  if not label then return false end
  local head = 'SRE1 ' .. ARGV[1] .. ' '
  if string.sub(label, 1, #head) == head then
    local expires = string.match(label, '^(%d+) ', #head + 1)
    return expires ~= nil and (expires == '0' or tonumber(expires) > tonumber(ARGV[2]))
  end
  return string.sub(label, 1, 5) ~= 'SRE1 ' and ARGV[1] == 'old-' .. redis.sha1hex(label)
end
`

// setScript takes the new label, the new value and how many milliseconds it has to live, 0 for ever. Without a generation
// it makes the entry. A label without a value is what was left when Redis ran out of memory: there is no entry.
const setScript = `
local mode = 'XX'
if ARGV[1] == '' then mode = 'NX' elseif not is(redis.call('GET', KEYS[1])) then return 0 end
if ARGV[5] == '0' then
  if not redis.call('SET', KEYS[2], ARGV[4], mode) then return 0 end
  redis.call('SET', KEYS[1], ARGV[3])
else
  if not redis.call('SET', KEYS[2], ARGV[4], mode, 'PX', ARGV[5]) then return 0 end
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[5])
end
return 1`

// replaceScript takes the label as it was read, the new one, and how many milliseconds the entry has to live, 0 for ever.
// With one more argument that is the new text of the value. It acts when the label is still the one.
const replaceScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[4] then redis.call('SET', KEYS[2], ARGV[4]) end
for _, key in ipairs(KEYS) do
  if ARGV[3] == '0' then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, ARGV[3]) end
end
return 1`

const removeScript = `
if not is(redis.call('GET', KEYS[1])) or redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2])
return 1`

// expireScript takes the label as it was read and removes the entry when it is still the one.
const expireScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1], KEYS[2])
return 1`
