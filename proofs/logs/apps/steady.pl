# 100 lines of 100 bytes a second.
$| = 1;
my $line = ('.' x 99) . "\n";
while (1) { print $line; select undef, undef, undef, 0.01; }
