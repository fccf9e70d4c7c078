# Runs a constraint file in a safe interpreter of its own and returns its commands as JSON lines:
# name, line, arguments, and the mark that stands for what the command returned.
# Nothing is carried out, and every command that is not Tcl's own is recorded, known or not.

namespace eval mcos {
    variable rows {}
    variable marks 0
}

proc mcos::json {text} {
    set out {}
    foreach char [split $text {}] {
        scan $char %c code
        if {$code < 32 || $code > 126 || $char in {\" \\}} {
            append out [format {\u%04x} [expr {$code & 0xffff}]]
        } else {
            append out $char
        }
    }
    return "\"$out\""
}

proc mcos::row {name line arguments mark} {
    variable rows
    set quoted {}
    foreach argument $arguments {
        lappend quoted [json $argument]
    }
    lappend rows "\[[json $name],$line,\[[join $quoted ,]\],[json $mark]\]"
}

proc mcos::note {name line arguments} {
    variable marks
    set mark "_mcos_[incr marks]_"
    row $name $line $arguments $mark
    return $mark
}

# With kept, only these of Tcl's own commands are there.
proc mcos::record {path {kept {}}} {
    variable rows {}
    variable marks 0
    set child [interp create -safe]
    interp alias $child ::mcos_note {} mcos::note
    $child eval {
        namespace eval ::own {}
        foreach each {dict info} {
            rename ::$each ::own::$each
            proc ::$each args "uplevel 1 ::own::$each \$args"
        }
        proc ::unknown {name args} {
            set frame [::own::info frame -1]
            set line [expr {[::own::dict exists $frame line] ? [::own::dict get $frame line] : 0}]
            ::mcos_note $name $line $args
        }
    }
    if {[llength $kept]} {
        foreach each [$child eval {::own::info commands}] {
            if {$each ni [concat $kept {mcos_note unknown rename}]} {
                $child eval [list rename ::$each ::own::_$each]
            }
        }
        $child eval {rename ::rename {}}
    }
    if {[catch {interp invokehidden $child source -encoding utf-8 $path} message options]} {
        set line [expr {[dict exists $options -errorline] ? [dict get $options -errorline] : 1}]
        if {[regexp {\(file "[^\n]*" line (\d+)\)} [dict get $options -errorinfo] all found]} {
            set line $found
        }
        row {} $line [list $message] {}
    }
    interp delete $child
    return [join $rows \n]
}

if {[info exists argv0] && [file tail $argv0] eq "record.tcl"} {
    puts [mcos::record {*}$argv]
}
