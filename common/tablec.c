// Compiles the tables/*.txt of a stage to one file for common/table.c.
int main(void)
{
    return 0;
}
